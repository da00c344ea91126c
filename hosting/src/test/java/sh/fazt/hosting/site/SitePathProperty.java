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
        if (canonical.indexOf('%') < 0) {
            assertThat(SitePath.canonical(canonical)).isEqualTo(canonical);
        }
    }

    @Provide
    Arbitrary<String> paths() {
        return Arbitraries.of(
                        "a", "b.html", "..", ".", "", "%2e%2e", "%2f", "%5c", "%00", "%25", "ä", "%c3%a4", "%zz", "x y")
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
        assertThat(SitePath.canonical("no-slash")).isNull();
    }
}
