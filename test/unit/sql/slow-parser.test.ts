import { afterAll, describe, expect, it } from "vitest";
import { SlowParser } from "../../../src/sql/slow-parser.ts";

const long = `insert into t values (1)${", (1)".repeat(20_000)}`;

describe("SlowParser", () => {
  const parser = new SlowParser(18, { deadline: 20_000 });
  afterAll(() => parser.close());

  it("parses what is too long for the main thread, and short texts too", async () => {
    expect(await parser.parse(long)).toMatchObject({ kind: "parsed", statements: [{}] });
    expect(await parser.parse("select 1 +")).toMatchObject({ kind: "error", position: 11 });
    expect(await parser.parse(`select ${"(".repeat(5000)}`)).toMatchObject({ kind: "refused" });
  });

  it("ends a thread that takes too long, and goes on with another", async () => {
    const hurried = new SlowParser(18, { deadline: 1 });
    const first = hurried.parse(long);
    const second = hurried.parse(long);
    expect(await first).toMatchObject({ reason: "statement takes too long to be parsed" });
    expect(await second).toMatchObject({ reason: "statement takes too long to be parsed" });
    await hurried.close();
  });

  it("takes no more than 16 waiting texts, and answers all when it is closed", async () => {
    const busy = new SlowParser(18);
    const results = Array.from({ length: 20 }, () => busy.parse(long));
    await busy.close();
    const reasons = (await Promise.all(results)).map((result) =>
      result.kind === "refused" ? result.reason : "",
    );
    expect(reasons.filter((reason) => reason.includes("closed"))).toHaveLength(17);
    expect(reasons.filter((reason) => reason.includes("too many"))).toHaveLength(3);
  });

  it("knows only the majors that are installed", () => {
    expect(() => new SlowParser(14)).toThrow("no grammar");
  });
});
