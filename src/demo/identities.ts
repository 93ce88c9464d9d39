/** The demo's people. Their secrets are printed: the demo listens on 127.0.0.1 alone and its data are made up. */
export const alice = {
  user: "alice",
  password: "alice-demo",
  attributes: { tenant: 1, groups: ["analysts"] },
  introduction: "alice, analyst of tenant 1, logs in with a password",
} as const;

export const ada = {
  user: "ada",
  password: "ada-demo",
  attributes: { groups: ["admins"] },
  introduction: "ada, administrator of the shop, logs in with a password",
} as const;

/** Who issues Sam's token, and for whom. */
export const issuer = { issuer: "https://id.example.com", audience: "rolegate" } as const;

export const sam = {
  user: "sam@example.com",
  claims: { email: "sam@example.com", org: { id: 2 }, groups: ["support"] },
  introduction: "sam, support agent of tenant 2, logs in with a token (JWT) in place of a password",
} as const;
