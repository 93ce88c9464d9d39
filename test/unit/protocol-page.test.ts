import path from "node:path";
import { expect, test } from "vitest";
import { missingTests, testsNamedIn } from "./named-tests.ts";
import { tableUnder } from "./markdown-table.ts";

const page = path.resolve(import.meta.dirname, "../../docs/protocol.md");
const advisories = tableUnder(page, "## Advisories");
const steps = tableUnder(page, "## Checklist");

/** Those that a proxy, or what it is made of, could share. */
const known =
  `CVE-2012-4575 CVE-2015-4054 CVE-2015-6817 CVE-2016-2193 CVE-2018-1058 CVE-2021-23214 CVE-2021-23222
  CVE-2021-38140 CVE-2021-3935 CVE-2021-41395 CVE-2021-41558 CVE-2021-43766 CVE-2021-43767 CVE-2023-2455 CVE-2024-10976
  CVE-2024-10977 CVE-2024-10978 CVE-2024-27289 CVE-2024-27304 CVE-2024-32655 CVE-2024-45624 CVE-2025-1094 CVE-2025-12819
  CVE-2025-2291 CVE-2025-46801 CVE-2025-49146 CVE-2026-107314 CVE-2026-107348 CVE-2026-107349 CVE-2026-107350
  CVE-2026-14681 CVE-2026-32286 CVE-2026-33815 CVE-2026-33816 CVE-2026-41889 CVE-2026-42198 CVE-2026-54291 CVE-2026-6479
  CVE-2026-6664 CVE-2026-6665 CVE-2026-6666 CVE-2026-6667 CVE-2026-6668 CVE-2026-6669 GHSA-9cfh-vx93-84vv GO-2026-6168
  GO-2026-6169 GO-2026-6170 GO-2026-6171 GO-2026-6172 GO-2026-6173 RUSTSEC-2024-0363 RUSTSEC-2024-0365
  RUSTSEC-2026-0178 RUSTSEC-2026-0179 RUSTSEC-2026-0180`.split(/\s+/);

test("docs/protocol.md has a row for every advisory", () => {
  const listed = advisories.flatMap(([ids = ""]) => ids.match(/\b(?:CVE|GHSA|GO|RUSTSEC)-[\w-]+/g) ?? []);
  expect(new Set(listed)).toEqual(new Set(known));
  expect(listed).toHaveLength(known.length);
});

test.each([
  ...advisories.map(([what = "", , here = "", shown = ""]) => ({ what, here, shown })),
  ...steps.map(([what = "", here = "", shown = ""]) => ({ what, here, shown })),
])("$what: is shown by tests that are there, or does not apply", ({ here, shown }) => {
  const named = testsNamedIn(shown);
  expect(named.length > 0 || here.startsWith("does not apply: ")).toBe(true);
  expect(missingTests(named)).toEqual([]);
});
