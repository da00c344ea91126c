import { useCallback, useEffect, useState } from "react";
import { ApiError } from "./api";

/** What was last loaded, what went wrong since, and how to load again. */
export interface Live<T> {
  data: T | null;
  error: ApiError | null;
  reload: () => void;
}

const changes = new EventTarget();
let source: EventSource | null = null;
let listeners = 0;

function listen(onChange: () => void): () => void {
  if (listeners++ === 0) {
    source = new EventSource("/api/events");
    source.addEventListener("change", () => changes.dispatchEvent(new Event("change")));
    // A node that comes back may have changed meanwhile.
    source.addEventListener("open", () => changes.dispatchEvent(new Event("change")));
  }
  changes.addEventListener("change", onChange);
  return () => {
    changes.removeEventListener("change", onChange);
    if (--listeners === 0) {
      source?.close();
      source = null;
    }
  };
}

/** Loads at once, on every change that the node tells of, and every few seconds for what changes silently. */
export function useLive<T>(load: () => Promise<T>, everyMillis: number): Live<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    const stop = listen(reload);
    const timer = setInterval(reload, everyMillis);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [reload, everyMillis]);

  useEffect(() => {
    let stale = false;
    load().then(
      (loaded) => {
        if (stale) return;
        setData(loaded);
        setError(null);
      },
      (failed: unknown) => {
        if (!stale) setError(failed instanceof ApiError ? failed : new ApiError(0, "UNKNOWN", String(failed)));
      },
    );
    return () => {
      stale = true;
    };
  }, [load, turn]);

  return { data, error, reload };
}
