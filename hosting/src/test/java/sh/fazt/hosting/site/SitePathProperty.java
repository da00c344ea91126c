package sh.fazt.hosting.site;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class SitePathProperty {
    @Property(tries = 2000)
    void theAnswerIsPlainAndDecodingItAgainChangesNothing(@ForAll("paths") String raw) {
        String canonical = SitePath.canonical(raw);
        if (canonical == null) {
            return;
        }
        assertThat(canonical).startsWith("/").doesNotContain("//", "\\", "\0");
        assertThat(canonical.split("/")).doesNotContain("..", ".");
        // A percent sign that was itself encoded would be decoded again: it is written as it came.
        assertThat(SitePath.canonical(canonical.replace("%", "%25"))).isEqualTo(canonical);
    }

    @Provide
    Arbitrary<String> paths() {
        return Arbitraries.of(
                        "%2E%2e",
                        ".%2e",
                        "...",
                        "%",
                        "%2",
                        "%252e%252e",
                        "%ff",
                        "e\u0301",
                        "a",
                        "b.html",
                        "..",
                        ".",
                        "",
                        "%2e%2e",
                        "%2f",
                        "%5c",
                        "%00",
                        "%25",
                        "ä",
                        "%c3%a4",
                        "%zz",
                        "x y")
                .list()
                .ofMaxSize(7)
                .map(parts -> "/" + String.join("/", parts));
    }

    @Example
    void examples() {
        assertThat(SitePath.canonical("/")).isEqualTo("/");
        assertThat(SitePath.canonical("//private/x")).isEqualTo("/private/x");
        assertThat(SitePath.canonical("/a/../private/x")).isEqualTo("/private/x");
        assertThat(SitePath.canonical("/%2e%2e/etc/passwd")).isNull();
        assertThat(SitePath.canonical("/a%2fb")).isNull();
        assertThat(SitePath.canonical("/a/b/..")).isEqualTo("/a/");
        assertThat(SitePath.canonical("/caf%C3%A9")).isEqualTo("/café");
        assertThat(SitePath.canonical("/cafe\u0301"))
                .as("both ways to write it")
                .isEqualTo("/café");
        assertThat(SitePath.canonical("/caf\u00e9%20x")).isEqualTo("/café x");
        assertThat(SitePath.canonical("/a%")).isNull();
        assertThat(SitePath.canonical("/%ff")).isNull();
        assertThat(SitePath.canonical("/a%00")).isNull();
        assertThat(SitePath.canonical("/a\\b")).isNull();
        assertThat(SitePath.canonical("/%252e%252e/x")).as("decoded once").isEqualTo("/%2e%2e/x");
        assertThat(SitePath.canonical("")).isNull();
        assertThat(SitePath.canonical("no-slash")).isNull();
    }
}
