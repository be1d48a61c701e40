// What the loader on the site's page and the widget in its frame say to each other. Every message is
// posted to an exact origin and taken only from the expected window and origin.

/** The site's name for a visitor and its hash; name, e-mail and number are not vouched for. */
export type HashedIdentity = {
  readonly identifier: string;
  readonly identifier_hash: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
};

/** Settings a site gives to boot and update, as the frame gets them. */
export type Settings = {
  /** The inbox key. */
  readonly inbox?: string;
  /** BCP 47; without it the visitor's own choice or browser decides. */
  readonly language?: string;
  readonly theme?: "system" | "light" | "dark";
  readonly side?: "left" | "right";
  /** Pixels from the edges: keeps clear of cookie bars and buy buttons. */
  readonly offsetX?: number;
  readonly offsetY?: number;
  readonly zIndex?: number;
  /** False where the site opens the chat with a button of its own. */
  readonly launcher?: boolean;
  /** Who the visitor is, signed by the site's server: a token, or the JSON of an identifier and its hash.
      Empty for nobody. */
  readonly identity?: string;
};

/** Settings as a site writes them. */
export type Given = Omit<Settings, "identity"> & { readonly identity?: string | HashedIdentity };

export type ToFrame =
  | { readonly frontdesk: 1; readonly kind: "connect"; readonly page: string; readonly referrer: string; readonly settings: Settings }
  | { readonly frontdesk: 1; readonly kind: "update"; readonly settings: Settings }
  | { readonly frontdesk: 1; readonly kind: "shown"; readonly page: string }
  | { readonly frontdesk: 1; readonly kind: "hidden" }
  /** The pointer or the focus is on the launcher: it is about to be opened. */
  | { readonly frontdesk: 1; readonly kind: "near" }
  | { readonly frontdesk: 1; readonly kind: "reset" };

export type ToPage =
  | {
      readonly frontdesk: 1;
      readonly kind: "ready";
      readonly accent: string;
      readonly onAccent: string;
      readonly side: "left" | "right";
      /** The launcher's name in the visitor's language. */
      readonly label: string;
    }
  | { readonly frontdesk: 1; readonly kind: "unread"; readonly count: number; readonly title: string }
  | { readonly frontdesk: 1; readonly kind: "close" }
  | { readonly frontdesk: 1; readonly kind: "refused"; readonly code: string };
