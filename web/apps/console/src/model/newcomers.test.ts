// Who comes into a conversation by a mention, and who is told.
import { describe, expect, it } from "vitest";
import { Rights } from "./account";
import type { Person, Role } from "./api";
import type { Standing } from "./newcomers";
import { Standings, comesIn } from "./newcomers";
import type { Session } from "./types";
import { toSession } from "./wire";

const session: Session = { ...toSession(undefined), id: "s1", status: "assigned", team: "sales", owner: { kind: "agent", id: "lin", name: "Lin" }, participants: [{ kind: "agent", id: "mei", name: "Mei" }] };
const standing = (rights: readonly string[], teams: readonly string[] = []): Standing => ({ rights: new Set(rights.map((right) => `conversation.read.${right}`)), teams: new Set(teams) });

describe("a mention", () => {
  it.each<[string, string, Standing | undefined, Partial<Session>, boolean]>([
    ["brings in who reads own conversations only", "ada", standing(["own"]), {}, true],
    ["brings in a colleague of the team who may not read what others have", "ada", standing(["own"], ["sales"]), {}, true],
    ["brings in who leads another team", "ada", standing(["own", "team"], ["service"]), {}, true],
    ["brings nobody in who reads everything", "ada", standing(["own", "all"]), {}, false],
    ["brings nobody in who reads what the team has", "ada", standing(["own", "team"], ["sales"]), {}, false],
    ["brings nobody in who reads what no team has", "ada", standing(["own", "team"]), { team: "" }, false],
    ["brings nobody in from the queue's own team", "ada", standing(["own"], ["sales"]), { status: "queued", owner: null }, false],
    ["brings in another team's colleague from a queue", "ada", standing(["own"], ["service"]), { status: "queued", owner: null }, true],
    ["does not bring in the owner", "lin", standing(["own"]), {}, false],
    ["does not bring in who takes part", "mei", standing(["own"]), {}, false],
    ["brings nobody in who may read nothing", "ada", standing([]), {}, false],
    ["brings nobody into what is over", "ada", standing(["own"]), { status: "closed" }, false],
    ["brings nobody in where there is no session", "ada", standing(["own"]), { id: "" }, false],
    ["says nothing of whom nothing is known", "ada", undefined, {}, false],
  ])("%s", (_, id, known, more, comes) => {
    expect(comesIn(id, known, { ...session, ...more })).toBe(comes);
  });
});

describe("standings", () => {
  const person = (id: string, role: string): Person => ({ id, role, email: "", display_name: id, skills: [], teams: [], disabled: false });
  const roles: Role[] = [
    { id: "r1", names: {}, rights: ["conversation.read.own"] },
    { id: "r2", names: {}, rights: ["conversation.read.own", "conversation.read.all"] },
  ];

  function setUp(rights: readonly string[], fails = false) {
    let asked = 0;
    const api = {
      people: () => {
        asked += 1;
        return fails ? Promise.reject(new Error("away")) : Promise.resolve([person("ada", "r1"), person("bo", "r2"), person("cy", "r9")]);
      },
      roles: () => Promise.resolve({ roles, rights: [] }),
    };
    return { standings: new Standings(api, new Rights(rights)), asked: () => asked };
  }

  it("are read by who may know them and could bring somebody in", async () => {
    const { standings } = setUp(["settings.users", "conversation.assign"]);
    expect(standings.comesIn("ada", session)).toBe(false);
    await standings.load();
    expect(["ada", "bo", "cy", "di"].map((id) => standings.comesIn(id, session))).toEqual([true, false, false, false]);
  });

  it("are not asked for by others, and a failure says nothing", async () => {
    for (const rights of [["conversation.assign"], ["settings.users"]]) {
      const { standings, asked } = setUp(rights);
      await standings.load();
      expect(asked()).toBe(0);
    }
    const { standings } = setUp(["settings.users", "conversation.assign"], true);
    await standings.load();
    expect(standings.comesIn("ada", session)).toBe(false);
  });
});
