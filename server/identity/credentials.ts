// What a sign-in takes.

export type Credentials =
  | { readonly identity: string; readonly password: string }
  /** A token that the app got from PocketBase by itself; checked by auth-refresh before it is used. */
  | { readonly token: string }

export interface SignInOptions {
  readonly remember?: boolean
  /** RFC 8176. Default `['pwd']`. */
  readonly amr?: readonly string[]
}
