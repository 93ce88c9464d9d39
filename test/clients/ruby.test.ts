import { globSync } from "node:fs";
import { describeClient } from "./describe-client.ts";

// Debian's ruby-pg.
const [library = "ruby-pg"] = globSync("/usr/lib/ruby/vendor_ruby/pg.rb");

describeClient("ruby-pg", {
  command: ["/usr/bin/ruby", "ruby/ruby_pg.rb"],
  needs: ["/usr/bin/ruby", library],
  steps: [
    ...([
      "connect",
      "tls",
      "token",
      "introspect",
      "read",
      "join",
      "hidden",
      "create",
      "create_other",
    ] as const),
    ...([
      "update",
      "delete",
      "transaction",
      "batch",
      "prepared",
      "cursor",
      "copy",
      "error",
      "cancel",
    ] as const),
    "notify",
  ],
  more: { single_row: 120 },
});
