/** Mantine's theme. Shade 8 and the darker dimmed text lift its contrast above 4.5 : 1 in both schemes. */
import { type CSSVariablesResolver, createTheme, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";

const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: "md",
  respectReducedMotion: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
});

const contrast: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "var(--mantine-color-gray-7)",
    "--mantine-color-error": "var(--mantine-color-red-9)",
  },
  dark: {
    "--mantine-color-dimmed": "var(--mantine-color-dark-1)",
    "--mantine-color-error": "var(--mantine-color-red-4)",
  },
});

export function Theme({ children }: { readonly children: ReactNode }) {
  return (
    <MantineProvider defaultColorScheme="auto" theme={theme} cssVariablesResolver={contrast}>
      {children}
    </MantineProvider>
  );
}
