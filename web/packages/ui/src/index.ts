// The design system: tokens (tokens.css), base styles (base.css) and the components that more than
// one page needs.
export { Button } from "./button";
export type { ComposerProps } from "./composer";
export { Composer, isComposing } from "./composer";
export type { AccentColours } from "./contrast";
export { accentColours, contrast, parseColour } from "./contrast";
export { Avatar, Banner, IconButton, Skeleton, initials } from "./controls";
export type { IconName } from "./icons";
export { Drawing, Icon } from "./icons";
export { Dialog } from "./dialog";
export type { Piece } from "./links";
export { findLinks } from "./links";
export type { MenuItem } from "./menu";
export { Menu } from "./menu";
export type { ScrollerProps, ScrollerRow } from "./scroller";
export { Scroller } from "./scroller";
export type { ThemeChoice } from "./theme";
export { followTheme } from "./theme";
export type { Range } from "./windowing";
export { RENDER_ALL_UP_TO, visibleRange } from "./windowing";
