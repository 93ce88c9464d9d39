/** Connections that have not proved who they are, in the order of their coming, of all and of each network. */
export class Strangers<Member extends object> {
  readonly #all = new Set<Member>();
  readonly #networks = new Map<string, Set<Member>>();
  readonly #network = new WeakMap<Member, string>();

  add(member: Member): void {
    this.#all.add(member);
  }

  /** From here on it is counted with its network; does nothing for one that is not there any more. */
  locate(member: Member, network: string): void {
    if (!this.#all.has(member)) return;
    this.#network.set(member, network);
    const there = this.#networks.get(network) ?? new Set();
    this.#networks.set(network, there.add(member));
  }

  /** @returns false if it was not there */
  delete(member: Member): boolean {
    if (!this.#all.delete(member)) return false;
    const network = this.#network.get(member) ?? "";
    const there = this.#networks.get(network);
    there?.delete(member);
    if (there?.size === 0) this.#networks.delete(network);
    return true;
  }

  /** The oldest of all; undefined while there are no more than `most`. */
  beyond(most: number): Member | undefined {
    return oldest(this.#all, most);
  }

  /** The oldest of a network; undefined while there are no more than `most`. */
  beyondOf(network: string, most: number): Member | undefined {
    return oldest(this.#networks.get(network), most);
  }
}

function oldest<Member>(members: ReadonlySet<Member> | undefined, most: number): Member | undefined {
  if (members === undefined || members.size <= most) return undefined;
  for (const member of members) return member;
  return undefined;
}
