//! How a robot becomes live: a ticket or its resume token, a socket, hello and welcome, and hello again where
//! somebody else serves it from now on.

use std::time::Duration;

use frontdesk_protocol::{
    close::CloseAction,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{STEP, Who, mind::Mind};
use crate::{Gone, Socket, checker::Event};

/// Conversations a hello may name.
const HELD_MAX: usize = 64;

impl Mind {
    async fn ticket(&mut self) -> Result<String, String> {
        let body = match &self.plan.who {
            Who::Visitor { inbox_key } => {
                let mut body = json!({"kind": "visitor", "inbox_key": inbox_key, "language": "en"});
                if !self.token.is_empty() {
                    body["visitor_token"] = json!(self.token);
                }
                body
            }
            Who::Agent { .. } => json!({"kind": "agent"}),
        };
        let http = &self.plan.http;
        let request = http.request(reqwest::Method::POST, "/api/v1/tickets");
        let answer = http.try_send(request.json(&body).timeout(STEP)).await;
        let answer = answer.ok_or("no answer to the request for a ticket")?;
        if answer.status != 200 {
            return Err(format!("no ticket: {} {}", answer.status, answer.text));
        }
        let made = answer.json();
        let field = |name: &str| made[name].as_str().ok_or("an answer without a ticket");
        if let Ok(token) = field("visitor_token") {
            token.clone_into(&mut self.token);
            field("conversation_id")?.clone_into(&mut self.own_conversation);
        }
        Ok(field("ticket")?.to_owned())
    }

    /// A live socket, with the welcome taken in; where another attempt is due, why.
    pub(super) async fn connect(&mut self) -> Result<Socket, String> {
        let mut ticket = String::new();
        if self.resume_token.is_empty() {
            ticket = self.ticket().await?;
        }
        let opening = timeout(STEP, Socket::open(self.plan.address, &self.plan.options)).await;
        let opened = opening.map_err(|_| "no socket in time")?;
        let mut socket = opened.map_err(|refused| format!("no socket: {refused:?}"))?;
        self.greet(&mut socket, ticket).await.map_err(|gone| {
            if CloseAction::of(gone.code()) == CloseAction::NewTicket {
                self.resume_token.clear();
            }
            format!("no welcome: {gone:?}")
        })?;
        Ok(socket)
    }

    /// Says hello on a socket, by the resume token where there is no ticket, until it is welcome.
    pub(super) async fn greet(
        &mut self,
        socket: &mut Socket,
        mut ticket: String,
    ) -> Result<(), Gone> {
        let welcome = 'hello: loop {
            let presented = self.timelines.iter().filter_map(|(conversation, timeline)| {
                let position = timeline.position()?;
                Some(wire::Held { conversation: conversation.clone(), position: Some(position) })
            });
            let held = presented.take(HELD_MAX).collect();
            let mut resume_token = String::new();
            if ticket.is_empty() {
                resume_token.clone_from(&self.resume_token);
            }
            let hello = wire::Hello {
                resume_token,
                ticket: std::mem::take(&mut ticket),
                held,
                client: "frontdesk-robot/1".to_owned(),
                feed: self.feed,
                can_rejoin: true,
                ..wire::Hello::default()
            };
            socket.send(1, Out::Hello(hello)).await?;
            loop {
                match timeout(STEP, socket.hear()).await.map_err(|_| Gone::Lost)??.frame {
                    Some(In::Welcome(welcome)) => break 'hello welcome,
                    Some(In::Rejoin(rejoin)) => {
                        self.wait_to_rejoin(&rejoin).await?;
                        continue 'hello;
                    }
                    _ => {}
                }
            }
        };
        self.resume_token.clone_from(&welcome.resume_token);
        self.feed = welcome.feed.or(self.feed);
        // An agent writes in a conversation again once it is open.
        self.owned.clear();
        self.writable.clear();
        self.forget_sent(|_| true);
        self.again_at = None;
        for opened in &welcome.opened {
            let conversation = match self.plan.who {
                Who::Visitor { .. } => "",
                Who::Agent { .. } => opened.conversation.as_str(),
            };
            self.opened(conversation, opened);
        }
        if let Who::Visitor { .. } = self.plan.who {
            self.writable.insert(String::new());
            self.pump(socket).await
        } else {
            let online = wire::SetPresence { presence: wire::Presence::Online.into() };
            socket.send(2, Out::Presence(online)).await
        }
    }

    /// Somebody else serves it from now on: waits until it may say hello again.
    pub(super) async fn wait_to_rejoin(&mut self, rejoin: &wire::Rejoin) -> Result<(), Gone> {
        self.is_doing("is asked to rejoin");
        if self.resume_token.is_empty() {
            // Nothing to say hello with: it connects anew.
            return Err(Gone::Lost);
        }
        self.note(Event::Rejoin);
        self.report.rejoins += 1;
        sleep(Duration::from_millis(u64::from(rejoin.after_ms))).await;
        Ok(())
    }
}
