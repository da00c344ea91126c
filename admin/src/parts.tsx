import type { ReactNode } from "react";

export function Card({
  title,
  aside,
  id,
  children,
}: {
  title: string;
  aside?: ReactNode;
  id?: string;
  children: ReactNode;
}) {
  return (
    <section id={id} className="rounded-xl border border-line bg-panel shadow-sm">
      <header className="flex items-baseline justify-between gap-4 border-b border-line px-5 py-3">
        <h2 className="text-base font-semibold">{title}</h2>
        <span className="text-sm text-muted">{aside}</span>
      </header>
      {children}
    </section>
  );
}

export function Notice({ tone, children }: { tone: "warning" | "error"; children: ReactNode }) {
  const colors =
    tone === "error"
      ? "border-red-300 bg-red-50 text-red-900 dark:border-red-900 dark:bg-red-950 dark:text-red-100"
      : "border-amber-300 bg-amber-50 text-amber-900 dark:border-amber-900 dark:bg-amber-950 dark:text-amber-100";
  return (
    <p role="alert" className={`rounded-lg border px-4 py-2.5 text-sm ${colors}`}>
      {children}
    </p>
  );
}

const stateColors: Record<string, string> = {
  alive: "bg-emerald-500",
  suspect: "bg-amber-500",
  dead: "bg-red-500",
  left: "bg-slate-400",
  away: "bg-slate-400",
};

/** A member's state as a dot and a word: never by colour alone. */
export function State({ state }: { state: string }) {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden className={`size-2.5 rounded-full ${stateColors[state] ?? "bg-slate-400"}`} />
      {state}
    </span>
  );
}

export function Button({ busy, ...rest }: { busy?: boolean } & React.ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button
      {...rest}
      disabled={busy || rest.disabled}
      className={`rounded-lg px-3.5 py-2 text-sm font-medium focus-visible:outline-2 focus-visible:outline-offset-2 focus-visible:outline-accent disabled:opacity-60 ${rest.className ?? "bg-accent text-white hover:opacity-90"}`}
    />
  );
}

export const quiet = "border border-line hover:bg-page";
