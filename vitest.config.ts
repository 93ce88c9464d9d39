import { defineConfig } from "vitest/config";

// One project for each kind of test, so that `vitest run --project unit` stays quick.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      { test: { name: "properties", include: ["test/properties/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "pg",
          include: ["test/cases/**/*.test.ts", "test/pg/**/*.test.ts", "test/properties/worlds/*.test.ts"],
          globalSetup: ["test/pg/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        // Needs what test/clients/install puts there, and so is no part of `npm test`.
        test: {
          name: "clients",
          include: ["test/clients/*.test.ts"],
          globalSetup: ["test/pg/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
