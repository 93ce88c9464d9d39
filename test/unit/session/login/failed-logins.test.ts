import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FailedLoginLimits } from "../../../../src/config/config.ts";
import { parseNetworks } from "../../../../src/identity/networks.ts";
import { FailedLogins } from "../../../../src/session/login/failed-logins.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

const limits: FailedLoginLimits = {
  within: 600_000,
  perUser: 10,
  perNetwork: 25,
  lockFor: 300_000,
  perUserEverywhere: 60,
};

const start = (more: Partial<FailedLoginLimits> = {}, timeout = 30_000) =>
  new FailedLogins({ ...limits, ...more }, timeout);

const alice = { user: "alice", address: "10.0.0.1" };

async function fail(logins: FailedLogins, times: number, guesser = alice): Promise<void> {
  for (let n = 0; n < times; n++) await logins.failed(guesser);
}

describe("failures with one name from one network", () => {
  test("cost nothing at first, then time, then the way in", async () => {
    const logins = start();
    const delays: unknown[] = [];
    for (let n = 0; n < 10; n++) {
      delays.push(await logins.standing(alice));
      await fail(logins, 1);
    }
    const free = { kind: "free" };
    const slow = [250, 500, 1000, 2000, 4000, 5000].map((delay) => ({ kind: "slow", delay }));
    expect(delays).toEqual([free, free, free, free, ...slow]);
    expect(await logins.standing(alice)).toEqual({
      kind: "locked",
      reason: "failed logins with this name from 10.0.0.0/24",
      left: 300_000,
    });
  });

  test("lock the name out of that network, however its addresses are written, and nowhere else", async () => {
    const logins = start();
    await fail(logins, 10);
    for (const address of ["10.0.0.1", "10.0.0.254", "::ffff:10.0.0.7"])
      expect(await logins.standing({ user: "alice", address }), address).toMatchObject({ kind: "locked" });
    for (const guesser of [
      { user: "alice", address: "10.0.1.1" },
      { user: "alice", address: "2001:db8::1" },
      { user: "bob", address: "10.0.0.1" },
      { user: "Alice", address: "10.0.0.1" },
    ])
      expect(await logins.standing(guesser), JSON.stringify(guesser)).toEqual({ kind: "free" });
  });

  test("are forgotten with the lock, or after their time, and when the name logs in", async () => {
    const logins = start();
    await fail(logins, 10);
    vi.advanceTimersByTime(299_000);
    expect(await logins.standing(alice)).toMatchObject({ kind: "locked", left: 1_000 });
    vi.advanceTimersByTime(1_001);
    expect(await logins.standing(alice)).toEqual({ kind: "free" });

    await fail(logins, 9);
    vi.advanceTimersByTime(600_001);
    await fail(logins, 1);
    expect(await logins.standing(alice)).toEqual({ kind: "free" });

    await fail(logins, 8);
    await logins.succeeded(alice);
    await fail(logins, 3);
    expect(await logins.standing(alice)).toEqual({ kind: "free" });
  });

  test("never wait for as long as a login may take", async () => {
    const logins = start({}, 2_000);
    await fail(logins, 9);
    expect(await logins.standing(alice)).toEqual({ kind: "slow", delay: 1_000 });
    const told = start({ maxDelay: 300 });
    await fail(told, 9);
    expect(await told.standing(alice)).toEqual({ kind: "slow", delay: 300 });
  });
});

test("failures from one network lock the network, whatever the names, and a success does not open it", async () => {
  const logins = start();
  for (let n = 0; n < 25; n++) await logins.failed({ user: `u${n}`, address: `2001:db8:0:1::${n}` });
  await logins.succeeded({ user: "mine", address: "2001:db8:0:1::99" });
  expect(await logins.standing({ user: "new", address: "2001:db8:0:1:ffff::1" })).toEqual({
    kind: "locked",
    reason: "failed logins from 2001:db8:0:1::/64",
    left: 300_000,
  });
  expect(await logins.standing({ user: "new", address: "2001:db8:0:2::1" })).toEqual({ kind: "free" });
});

test("strangers everywhere slow a name down, and do not lock it out of its own network", async () => {
  const logins = start();
  for (let n = 0; n < 500; n++) await logins.failed({ user: "alice", address: `10.1.${n % 250}.1` });
  const own = { user: "alice", address: "192.168.1.1" };
  expect(await logins.standing(own)).toEqual({ kind: "slow", delay: 5_000 });
  expect(await logins.standing({ ...own, user: "bob" })).toEqual({ kind: "free" });
});

test("where failures are not counted nothing is locked", async () => {
  const logins = start({ trusted: parseNetworks(["10.0.0.0/24"])! });
  await fail(logins, 100);
  expect(await logins.standing(alice)).toEqual({ kind: "free" });
  const near = { user: "alice", address: "10.0.1.1" };
  await fail(logins, 10, near);
  expect(await logins.standing(near)).toMatchObject({ kind: "locked" });
});

test("however many names and networks there are, no more than 20,000 of each kind are kept", async () => {
  const logins = start();
  await fail(logins, 10);
  for (let n = 0; n < 30_000; n++)
    await logins.failed({ user: `${"x".repeat(1000)}${n}`, address: `10.${n >> 8}.${n & 255}.1` });
  // A timer for each.
  expect(vi.getTimerCount()).toBeLessThanOrEqual(60_000);
  expect(vi.getTimerCount()).toBeGreaterThan(50_000);
});
