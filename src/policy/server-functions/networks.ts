import type { FunctionGroup } from "./function-group.ts";

/** Network addresses. */
export const networkFunctions: readonly FunctionGroup[] = [
  // inet, cidr, macaddr and macaddr8.
  {
    class: "safe",
    names: `
      abbrev broadcast cidr family hashinet hashinetextended hashmacaddr hashmacaddr8 hashmacaddr8extended
      hashmacaddrextended host hostmask inet_merge inet_same_family inetand inetmi inetmi_int8 inetnot inetor
      inetpl int8pl_inet macaddr macaddr8 macaddr8_and macaddr8_cmp macaddr8_eq macaddr8_ge macaddr8_gt
      macaddr8_le macaddr8_lt macaddr8_ne macaddr8_not macaddr8_or macaddr8_set7bit macaddr_and macaddr_cmp
      macaddr_eq macaddr_ge macaddr_gt macaddr_le macaddr_lt macaddr_ne macaddr_not macaddr_or masklen netmask
      network network_cmp network_eq network_ge network_gt network_le network_lt network_ne network_overlap
      network_sub network_subeq network_sup network_supeq set_masklen trunc
    `,
  },
];
