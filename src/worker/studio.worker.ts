/** The worker's entry: the studio's handlers, served to the page that started it. */
import { postDeviceLost, serve } from "./host";
import { createHandlers } from "./studio";

// A built worker lies in assets/, beside models/; the development server serves public/ at its root.
const siteRoot = new URL(import.meta.env.PROD ? "../" : "/", globalThis.location.href);

serve(
  createHandlers((reason) => postDeviceLost(globalThis, reason), siteRoot),
  globalThis,
);
