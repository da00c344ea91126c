package sh.fazt.runtime;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A small app that touches what most apps touch. */
final class WarmUp {
    static final SourceTree SOURCES = new SourceTree() {
        private static final String CODE = """
                class Item { #n; constructor(n) { this.#n = n; } get n() { return this.#n; } }
                const items = [...Array(20).keys()].map(n => new Item(n));
                async function handle({ method, query: { a = 1, ...rest } = {} }) {
                  let sum = 0;
                  for (const item of items) { sum += await item.n; }
                  const text = `${method} ${sum}`.replace(/\\d+/g, d => d.padStart(4, '0'));
                  return respond(200, { text, a, rest, list: items.filter(i => i?.n > 3).map(i => i.n ?? 0) });
                }
                handle(request);
                """;

        @Override
        public Collection<String> paths() {
            return List.of(ENTRY);
        }

        @Override
        public Optional<String> text(String path) {
            return path.equals(ENTRY) ? Optional.of(CODE) : Optional.empty();
        }
    };

    static final Request REQUEST = new Request(
            "POST",
            "/api",
            "a=1&b=2",
            List.of(new Header("content-type", "application/json")),
            "{\"items\":[1,2,{\"a\":\"b\"}]}".getBytes(StandardCharsets.UTF_8),
            "http",
            "localhost",
            "127.0.0.1");

    private WarmUp() {}
}
