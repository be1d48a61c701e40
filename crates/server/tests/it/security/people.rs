//! Passwords, logins and what ends them: S4, S5, S6, S8, S9; and whose limit is used up: S21.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    Http, TestAgent, TestServer,
    http::Answer,
    server::{ADMIN_EMAIL, PASSWORD},
    within,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    line::Line,
    world::{World, text},
};
use crate::FRONTDESK;

/// A request without cookies, from an address of the machine's own.
async fn post(server: SocketAddr, from: u8, path: &str, body: &Value) -> (u16, Value, Duration) {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 1, from));
    let client = reqwest::Client::builder().no_proxy().local_address(address).build();
    let client = client.expect("a client without TLS can always be built");
    // The connection is made before the clock starts.
    let base = format!("http://{server}");
    client.get(format!("{base}/healthz")).send().await.expect("the server answers");
    let started = Instant::now();
    let answer = client.post(format!("{base}{path}")).json(body).send().await;
    let answer = answer.expect("the server answers");
    let status = answer.status().as_u16();
    let took = started.elapsed();
    (status, answer.json().await.unwrap_or_default(), took)
}

fn sign_in_body(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

/// The value of the login cookie an answer sets.
fn login_cookie(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies
        .filter_map(|cookie| cookie.to_str().ok()?.strip_prefix("frontdesk="))
        .find_map(|rest| rest.split(';').next().map(str::to_owned))
}

#[tokio::test]
async fn s04_passwords_are_long_enough_not_common_and_otherwise_free() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let id = admin.create_user("mei@acme.example", "Mei", "agent").await;
    let path = format!("/api/v1/users/{id}/password");
    let long = "x y".repeat(40);
    for (password, good) in [
        ("", false),
        ("short77", false),
        ("密码密码密码密", false),
        ("password", false),
        ("12345678", false),
        ("PASSWORD", false),
        ("qwertyuiop", false),
        ("iloveyou1", false),
        ("eight ch", true),
        ("密码密码密码密码", true),
        ("  lead and trail  ", true),
        ("e\u{301}motion \u{1f600} caf\u{e9}", true),
        (long.as_str(), true),
    ] {
        let answer = admin.post(&path, &json!({"password": password})).await;
        if !good {
            assert_eq!(answer.code(), "user.password_weak", "{password:?}");
            let plain = password.is_empty() || password == "password";
            assert!(plain || !answer.text.contains(password), "{password} is repeated");
            continue;
        }
        assert_eq!(answer.status, 204, "{password:?}: {}", answer.text);
        let http = Http::new(server.address());
        let body = sign_in_body("mei@acme.example", password);
        http.post("/api/v1/sign-in", &body).await.ok();
        if let Some(cut) =
            password.len().checked_sub(password.chars().last().map_or(0, char::len_utf8))
        {
            let http = Http::new(server.address());
            let body = sign_in_body("mei@acme.example", &password[..cut]);
            let answer = http.post("/api/v1/sign-in", &body).await;
            assert_eq!(answer.code(), "auth.failed", "all of {password:?} counts");
        }
    }
    // Nothing to hash for an hour.
    let answer = admin.post(&path, &json!({"password": "x".repeat(100_000)})).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
}

#[tokio::test]
async fn s05_the_eleventh_guess_waits_and_nobody_else_does() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    for name in ["mei", "tom"] {
        admin.create_user(&format!("{name}@acme.example"), name, "agent").await;
    }
    // Tom's browser has signed in before.
    let tom = server.http.sign_in("tom@acme.example").await;
    let at = server.address();
    for guess in 0_u8..10 {
        let from = 10 + guess % 3;
        let body = sign_in_body("Tom@acme.example", &format!("wrong guess {guess}"));
        let (status, problem, _) = post(at, from, "/api/v1/sign-in", &body).await;
        assert_eq!((status, &problem["code"]), (401, &json!("auth.failed")), "guess {guess}");
    }
    for from in [10, 99] {
        let right = sign_in_body("tom@acme.example", PASSWORD);
        let (status, problem, _) = post(at, from, "/api/v1/sign-in", &right).await;
        assert_eq!((status, &problem["code"]), (429, &json!("auth.throttled")), "from {from}");
        assert!(problem["retry_after"].as_u64().is_some_and(|wait| (1..=60).contains(&wait)));
    }
    let body = sign_in_body("mei@acme.example", PASSWORD);
    assert_eq!(post(at, 10, "/api/v1/sign-in", &body).await.0, 200, "Mei is not touched");
    let again = tom.post("/api/v1/sign-in", &sign_in_body("tom@acme.example", PASSWORD)).await;
    assert_eq!(again.status, 200, "nor is the browser Tom has used before: {}", again.text);
}

/// A thousand guesses at one address by many, and a thousand by one at many addresses: only a handful
/// is looked at, the others cost no hash, and nobody else is kept out.
#[tokio::test]
async fn s05_a_thousand_guesses_are_answered_and_hardly_any_is_looked_at() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    for name in ["mei", "tom"] {
        admin.create_user(&format!("{name}@acme.example"), name, "agent").await;
    }
    let at = server.address();
    let mut codes = BTreeMap::new();
    let client_from = |from: u8| {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 2, from));
        let client = reqwest::Client::builder().no_proxy().local_address(address).build();
        client.expect("a client without TLS can always be built")
    };
    let guess = async |client: &reqwest::Client, email: &str, number: usize| {
        let body = sign_in_body(email, &format!("wrong guess {number}"));
        let request = client.post(format!("http://{at}/api/v1/sign-in")).json(&body);
        let answer = request.send().await.expect("the server answers");
        assert!(matches!(answer.status().as_u16(), 401 | 429), "{}", answer.status());
        let waits = answer.headers().contains_key("retry-after");
        let problem: Value = answer.json().await.expect("a problem document");
        let code = text(&problem["code"]);
        assert_eq!(waits, code != "auth.failed", "{problem}");
        code
    };
    let began = Instant::now();
    let many: Vec<_> = (1..=100).map(client_from).collect();
    for number in 0..1_000 {
        let code = guess(&many[number % 100], "tom@acme.example", number).await;
        *codes.entry(("spread", code)).or_insert(0) += 1;
    }
    let one = client_from(200);
    for number in 0..1_000 {
        let email = format!("no{number}@acme.example");
        let code = guess(&one, &email, number).await;
        *codes.entry(("alone", code)).or_insert(0) += 1;
    }
    let seconds = began.elapsed().as_secs() + 1;
    frontdesk_testkit::http::note(&format!("s05: 2,000 guesses: {codes:?}"));
    let looked_at =
        |how: &'static str| codes.get(&(how, "auth.failed".to_owned())).copied().unwrap_or(0_u64);
    // Ten, then one after each wait of five seconds and more; of one address sixty and one a second.
    assert!(looked_at("spread") <= 10 + seconds / 5, "{codes:?}");
    assert!(looked_at("alone") <= 60 + seconds, "{codes:?}");
    let body = sign_in_body("mei@acme.example", PASSWORD);
    assert_eq!(post(at, 10, "/api/v1/sign-in", &body).await.0, 200, "Mei is not kept out");
}

/// The medians of sign-ins in pairs. Noise of the machine averages out with more pairs, a difference in
/// the work does not: so pairs are added while the medians are apart, up to a limit.
#[tokio::test]
async fn s05_an_unknown_address_takes_as_long_as_a_known_one() {
    const PAIRS_MIN: usize = 45;
    const PAIRS_MAX: usize = 360;
    const APART_MAX: f64 = 10.0;
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    // Nine guesses at each: one more would wait.
    for number in 0..PAIRS_MAX / 9 {
        admin.create_user(&format!("known{number}@acme.example"), "Known", "agent").await;
    }
    let at = server.address();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1_000.0
    };
    let mut apart = f64::INFINITY;
    for pair in 0..PAIRS_MAX {
        let emails = [format!("known{}@acme.example", pair / 9), format!("no{pair}@acme.example")];
        for which in if pair % 2 == 0 { [0, 1] } else { [1, 0] } {
            let body = sign_in_body(&emails[which], "not the password");
            let from = u8::try_from(pair % 100).expect("below 100") + 1;
            let (status, _, took) = post(at, from, "/api/v1/sign-in", &body).await;
            assert_eq!(status, 401);
            [&mut known, &mut unknown][which].push(took);
        }
        if known.len() % PAIRS_MIN == 0 {
            let (known, unknown) = (median(&mut known), median(&mut unknown));
            apart = (known - unknown).abs() / known.max(unknown) * 100.0;
            frontdesk_testkit::http::note(&format!(
                "s05: medians of {} pairs of sign-ins: known {known:.1} ms, unknown {unknown:.1} ms, \
                 {apart:.1} % apart",
                pair + 1
            ));
            if apart <= APART_MAX {
                break;
            }
        }
    }
    assert!(apart <= APART_MAX, "known and unknown addresses are {apart:.1} % apart");
}

/// A server nobody has set up, which `TestServer` never is.
struct Fresh {
    child: Child,
    address: SocketAddr,
    token: String,
    said: String,
    _dir: tempfile::TempDir,
}

impl Fresh {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("there is a temporary directory");
        let mut child = Command::new(FRONTDESK)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut said = String::new();
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let link = lines.by_ref().find(|line| {
            said.push_str(line);
            line.contains("token=")
        });
        let link = link.expect("a link to set it up");
        let (base, token) = link.trim().split_once("/#/setup?token=").expect("a link");
        let address = base.trim_start_matches("http://").parse().expect("an address");
        Self { child, address, token: token.to_owned(), said, _dir: dir }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn s06_a_fresh_server_has_no_login_and_one_token_that_works_once() {
    let fresh = tokio::task::spawn_blocking(Fresh::start).await.expect("it starts");
    assert!(fresh.said.contains("15 minutes"), "{}", fresh.said);
    assert_eq!(fresh.token.len(), 22, "128 bits in base64url");
    let http = Http::new(fresh.address);
    for (email, password) in [
        ("admin", "admin"),
        ("agent", "agent"),
        ("admin@example.com", "password"),
        ("admin@frontdesk.local", "frontdesk"),
        ("", ""),
    ] {
        let answer = http.post("/api/v1/sign-in", &sign_in_body(email, password)).await;
        assert_eq!(answer.code(), "auth.failed", "{email}");
    }
    assert_eq!(http.get("/api/v1/setup").await.ok()["needed"], true);
    let setup = |token: &str, password: &str| {
        json!({
            "token": token, "account": "Acme", "email": "me@acme.example",
            "display_name": "Me", "password": password,
        })
    };
    for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", &fresh.token[..21]] {
        let answer = http.post("/api/v1/setup", &setup(token, PASSWORD)).await;
        assert_eq!(answer.code(), "setup.invalid", "{token:?}");
    }
    let weak = http.post("/api/v1/setup", &setup(&fresh.token, "short")).await;
    assert_eq!(weak.code(), "user.password_weak", "and the token is not used up");
    let made = http.post("/api/v1/setup", &setup(&fresh.token, PASSWORD)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let again =
        Http::new(fresh.address).post("/api/v1/setup", &setup(&fresh.token, PASSWORD)).await;
    assert_eq!(again.code(), "setup.done");
    assert_eq!(http.get("/api/v1/setup").await.ok()["needed"], false);
}

#[tokio::test]
async fn s08_a_login_is_made_anew_each_time_and_cannot_be_chosen() {
    let server = TestServer::start(FRONTDESK).await;
    let sign_in = async |cookie: Option<&str>| {
        let http = Http::new(server.address());
        let request = http.request(Method::POST, "/api/v1/sign-in");
        let mut request = request.json(&sign_in_body(ADMIN_EMAIL, PASSWORD));
        if let Some(cookie) = cookie {
            let base = server.base();
            request =
                request.header("Cookie", format!("frontdesk={cookie}")).header("Origin", base);
        }
        let answer = http.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        login_cookie(&answer).expect("a login cookie")
    };
    let me = async |cookie: &str| {
        let http = Http::new(server.address());
        let request = http.request(Method::GET, "/api/v1/me");
        http.send(request.header("Cookie", format!("frontdesk={cookie}"))).await.status
    };
    let chosen = "AAAAAAAAAAAAAAAAAAAAAA";
    let first = sign_in(Some(chosen)).await;
    assert_ne!(first, chosen, "a login somebody else chose is not taken over");
    assert_eq!(first.len(), 22, "128 bits in base64url");
    assert_eq!((me(chosen).await, me(&first).await), (401, 200));
    let second = sign_in(Some(&first)).await;
    assert_ne!(first, second);
    assert_eq!((me(&first).await, me(&second).await), (401, 200), "the former one has ended");
    let third = sign_in(None).await;
    assert_eq!((me(&second).await, me(&third).await), (200, 200), "two browsers may be signed in");
}

#[tokio::test]
async fn s08_a_new_password_ends_the_other_logins_and_their_sockets() {
    let server = TestServer::start(FRONTDESK).await;
    let mut mei = TestAgent::new(&server, "Mei", "agent").await;
    mei.connect().await;
    let other = server.http.sign_in("mei@acme.example").await;
    let change = json!({"current_password": PASSWORD, "new_password": "an entirely new one"});
    let wrong = json!({"current_password": "wrong", "new_password": "an entirely new one"});
    assert_eq!(other.post("/api/v1/me/password", &wrong).await.code(), "auth.failed");
    let answer = other.post("/api/v1/me/password", &change).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    ends(&mut mei, "the password was changed in another browser", 3500).await;
    assert_eq!(mei.http.get("/api/v1/me").await.code(), "auth.required");
    assert_eq!(other.get("/api/v1/me").await.status, 200, "who changed it stays signed in");
    let old = sign_in_body("mei@acme.example", PASSWORD);
    let answer = Http::new(server.address()).post("/api/v1/sign-in", &old).await;
    assert_eq!(answer.code(), "auth.failed");
}

/// The bar: a socket whose rights are gone is closed within five seconds. Who may not come back is told
/// so (3500), who comes back with other rights gets a new ticket (3403).
async fn ends(agent: &mut TestAgent, why: &str, code: u16) {
    let gone = within(Duration::from_secs(5), why, Box::pin(agent.live.gone())).await;
    assert_eq!(gone.code(), code, "{why}: {gone:?}");
}

#[tokio::test]
async fn s08_sockets_end_with_the_rights_they_were_opened_with() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let roles = admin.get("/api/v1/roles").await.ok();
    let roles = roles["roles"].as_array().expect("roles");
    let lower = roles.iter().find(|role| role["builtin"] == "agent").expect("agent");
    let mut agents = Vec::new();
    for name in ["Disabled", "Demoted", "Moved", "Reset", "Removed", "Out", "Ended", "Shrunk"] {
        let mut agent = TestAgent::new(&server, name, "supervisor").await;
        agent.connect().await;
        agents.push(agent);
    }
    let mut agents = agents.into_iter();
    let mut next = || agents.next().expect("an agent for each");
    let user = |agent: &TestAgent| format!("/api/v1/users/{}", agent.id);

    let mut agent = next();
    admin.patch(&user(&agent), &json!({"disabled": true})).await.ok();
    ends(&mut agent, "disabled", 3500).await;
    assert_eq!(agent.http.get("/api/v1/me").await.code(), "auth.required");

    let mut agent = next();
    admin.patch(&user(&agent), &json!({"role": lower["id"]})).await.ok();
    ends(&mut agent, "demoted", 3403).await;

    let mut agent = next();
    let team = admin.create_team("Sales", &[&agent.id]).await;
    ends(&mut agent, "put into a team", 3403).await;
    agent.connect().await;
    admin.patch(&format!("/api/v1/teams/{team}"), &json!({"members": []})).await.ok();
    ends(&mut agent, "taken out of a team", 3403).await;

    let mut agent = next();
    let password = json!({"password": "an entirely new one"});
    admin.post(&format!("{}/password", user(&agent)), &password).await.ok();
    ends(&mut agent, "the password was reset", 3500).await;

    let mut agent = next();
    admin.delete(&user(&agent)).await.ok();
    ends(&mut agent, "removed", 3500).await;

    let mut agent = next();
    let ticket = agent.http.agent_ticket().await;
    agent.http.post("/api/v1/sign-out", &json!({})).await.ok();
    ends(&mut agent, "signed out", 3500).await;
    let late = Line::try_open(server.address(), super::line::hello(&ticket)).await;
    assert!(late.is_err(), "nor does a ticket outlive the login it came from");

    let mut agent = next();
    let other = server.http.sign_in("ended@acme.example").await;
    let sessions = other.get("/api/v1/me/sessions").await.ok();
    let sessions = sessions["sessions"].as_array().expect("sessions").clone();
    assert_eq!(sessions.len(), 2);
    let handle = sessions.iter().find(|session| session["current"] == false).expect("the first");
    let handle = text(&handle["handle"]);
    other.delete(&format!("/api/v1/me/sessions/{handle}")).await.ok();
    ends(&mut agent, "its login was ended from another browser", 3500).await;

    let mut agent = next();
    let role = json!({"names": {"en": "Lead"}, "rights": ["conversation.read.all"]});
    let role = text(&admin.post("/api/v1/roles", &role).await.ok()["id"]);
    admin.patch(&user(&agent), &json!({"role": role})).await.ok();
    ends(&mut agent, "given another role", 3403).await;
    agent.connect().await;
    let less = json!({"names": {"en": "Lead"}, "rights": []});
    admin.put(&format!("/api/v1/roles/{role}"), &less).await.ok();
    ends(&mut agent, "the role lost its rights", 3403).await;
}

/// The order to close a user's sockets may come before the socket is there: it ends all the same.
#[tokio::test]
async fn s08_a_socket_that_opens_while_its_user_is_disabled_ends_too() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let id = admin.create_user("mei@acme.example", "Mei", "agent").await;
    let path = format!("/api/v1/users/{id}");
    let mut opened = 0;
    for _ in 0..20 {
        admin.patch(&path, &json!({"disabled": false})).await.ok();
        let ticket = server.http.sign_in("mei@acme.example").await.agent_ticket().await;
        let hello = super::line::hello(&ticket);
        let open = Line::try_open(server.address(), hello);
        let disabled = json!({"disabled": true});
        let disable = admin.patch(&path, &disabled);
        let (line, answer) = tokio::join!(open, disable);
        answer.ok();
        if let Ok(mut line) = line {
            opened += 1;
            let why = "a socket that was opened meanwhile ends";
            let gone = within(Duration::from_secs(5), why, Box::pin(line.gone())).await;
            assert!((3400..4000).contains(&gone.code()), "{gone:?}");
        }
    }
    frontdesk_testkit::http::note(&format!("s08: {opened} of 20 sockets opened, and all ended"));
}

#[tokio::test]
async fn s08_a_deleted_api_key_ends_its_sockets() {
    let world = World::build().await;
    let at = world.server.address();
    let resume = {
        let ticket = world.acme.ticket("key_few").await.expect("a ticket");
        let mut line = Line::open(at, &ticket).await;
        let late = world.acme.ticket("key_few").await.expect("a ticket");
        let path = format!("/api/v1/api-keys/{}", world.acme.weak_key_id);
        world.acme.key.delete(&path).await.ok();
        let gone =
            within(Duration::from_secs(5), "the key's socket ends", Box::pin(line.gone())).await;
        assert!((3400..4000).contains(&gone.code()), "{gone:?}");
        let late = Line::try_open(at, super::line::hello(&late)).await;
        assert!(late.is_err(), "nor does a ticket outlive the key");
        line.welcome.resume_token
    };
    let resuming = frontdesk_protocol::wire::Hello { resume_token: resume, ..Default::default() };
    assert!(Line::try_open(at, resuming).await.is_err(), "nor a resume token");
    assert_eq!(world.acme.weak_key.get("/api/v1/me").await.code(), "auth.required");
}

#[tokio::test]
async fn s09_another_site_cannot_act_with_the_visitors_or_agents_browser() {
    let server = TestServer::start(FRONTDESK).await;
    let http = Http::new(server.address());
    let signed = http.post("/api/v1/sign-in", &sign_in_body(ADMIN_EMAIL, PASSWORD)).await;
    let set: Vec<&str> =
        signed.headers.get_all("set-cookie").iter().filter_map(|c| c.to_str().ok()).collect();
    let login = set.iter().find(|cookie| cookie.starts_with("frontdesk=")).expect("a login cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(login.contains(part), "{login}");
    }
    assert!(!login.to_ascii_lowercase().contains("domain="), "{login}");
    let cookie = format!("frontdesk={}", login_cookie(&signed).expect("a login cookie"));
    let own = server.base();
    let reply = |name: &str| json!({"shortcut": name, "texts": {"en": "x"}}).to_string();
    let ask = async |origin: Option<&str>, kind: &str, body: String| {
        let nobody = Http::new(server.address());
        let mut request = nobody.request(Method::POST, "/api/v1/canned-replies");
        request = request.header("Cookie", &cookie).header("Content-Type", kind).body(body);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let answer = nobody.send(request).await;
        (answer.status, if answer.status < 300 { String::new() } else { answer.code() })
    };
    let json_type = "application/json";
    let form = "application/x-www-form-urlencoded";
    let refused = (403, "origin.refused".to_owned());
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:1")] {
        for kind in [json_type, form, "text/plain"] {
            assert_eq!(ask(origin, kind, reply("evil")).await, refused, "{origin:?} {kind}");
        }
    }
    for kind in [form, "text/plain", "multipart/form-data; boundary=x", "text/plain; charset=json"]
    {
        let wrong = (415, "request.media_type".to_owned());
        assert_eq!(ask(Some(&own), kind, reply("evil")).await, wrong, "{kind}");
    }
    assert_eq!(ask(Some(&own), json_type, reply("ours")).await.0, 201);
    let replies = server.admin().get("/api/v1/canned-replies").await;
    assert!(!replies.text.contains("evil"), "nothing of it was done: {}", replies.text);
    // No page of others' reads an answer either.
    let http = Http::new(server.address());
    let request = http.request(Method::GET, "/api/v1/me").header("Cookie", &cookie);
    let answer = http.send(request.header("Origin", "https://evil.example")).await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn s21_a_forwarding_header_from_anybody_changes_nothing() {
    let builder = TestServer::builder(FRONTDESK).set("limits.http_per_address_per_minute", 30);
    let server = builder.start().await;
    let http = Http::new(server.address());
    let mut last = None;
    for number in 0..60 {
        let request = http.request(Method::GET, "/api/v1/setup");
        let forged = format!("203.0.113.{number}");
        let request = request.header("X-Forwarded-For", &forged).header("Forwarded", &forged);
        last = Some(http.send(request.header("X-Real-Ip", forged)).await);
    }
    let last = last.expect("an answer");
    assert_eq!((last.status, last.code().as_str()), (429, "rate_limited"));
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(last.headers.contains_key(name), "{name} is missing");
    }
    let body = sign_in_body("a@b.example", "wrong");
    let other = post(server.address(), 77, "/api/v1/sign-in", &body).await;
    assert_eq!(other.0, 401, "another address has a limit of its own");
}
