// The browsers each app must run in: loader and widget Chrome 80 and Safari 13.1, console Chrome 100
// and Safari 15.4. Builds compile for them, checks look at what came out.
export const TARGETS = {
  // Both parse all of ECMAScript 2020. Naming the browsers instead would also rewrite `?.` and `??`,
  // for an engine fault of Chrome before 91 that needs a spread argument behind `?.`.
  widget: ["es2020"],
  console: ["chrome100", "safari15.4"],
};

/** The newest ECMAScript edition all of those browsers parse. */
export const EDITIONS = { widget: 2020, console: 2022 };
