const list = /-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----/g;

/**
 * The certificate revocation lists of a PEM text, each by itself: of a text with several OpenSSL would read the first and be
 * silent about the others, and with them about what other authorities have revoked.
 * @returns undefined if something in it is no whole list, or there is none
 */
export function revocationListsOf(pem: string): readonly string[] | undefined {
  const lists = pem.match(list) ?? [];
  const begun = pem.split("-----BEGIN").length - 1;
  return lists.length > 0 && lists.length === begun ? lists : undefined;
}
