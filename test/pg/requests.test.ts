import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRequestStage, requestLines, type RequestStage } from "./request-stage.ts";

let stage: RequestStage;
beforeAll(async () => {
  stage = await openRequestStage();
});
afterAll(async () => {
  await stage?.close();
});

const denied = '42501 permission denied to set role "asked_admin"';

describe("a role that has to be asked for", () => {
  test("is there once a request is approved, on every instance, and in sessions that are open", async () => {
    const open = await stage.west.connect("alice");
    expect(await stage.enter("alice", "alice")).toBe("asked_reader");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied);
    const id = await stage.ask("alice", "asked_admin");
    expect(await stage.stateOf("alice", id)).toBe("pending");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied);
    const { rows, command } = await stage.say("bob", `APPROVE ${id} COMMENT 'go on'`);
    expect(command).toBe("APPROVE");
    expect(rows).toEqual([
      expect.objectContaining({
        id,
        requester: "alice",
        role: "asked_admin",
        state: "in force",
        approvals: "1 of 1",
      }),
    ]);
    expect(await stage.enter("alice", "asked_admin")).toBe("asked_admin");
    // It is nobody's first role.
    expect(await stage.enter("alice", "alice")).toBe("asked_reader");
    await expect
      .poll(() => open.query("set role asked_admin").then(() => "taken", String), { timeout: 1000 })
      .toBe("taken");
    expect(await stage.enter("dave", "asked_admin")).toBe(denied);
    await stage.say("alice", `WITHDRAW ${id}`);
    await expect.poll(() => open.query("select 1").then(() => "there", String)).not.toBe("there");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied);
    const steps = (await requestLines(stage.east, id)).map(({ event }) => event);
    expect(steps).toEqual(["request asked", "request approved", "request used", "request withdrawn"]);
  });
});
