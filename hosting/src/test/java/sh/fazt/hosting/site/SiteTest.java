package sh.fazt.hosting.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.route.Route;

class SiteTest {
    private static Route route(boolean spa, String... paths) {
        Map<String, Manifest.File> files = new HashMap<>();
        for (String path : paths) {
            files.put(path, new Manifest.File(path, "0".repeat(64), 10));
        }
        return new Route("fazt_app_1", "shop", "r1", files, spa);
    }

    @ParameterizedTest
    @CsvSource({
        "/,200 index.html",
        "/about,200 about.html",
        "/docs,-> /docs/",
        "/docs/,200 docs/index.html",
        "/about/,-> /about",
        "/style.css/,-> /style.css",
        "/style.css,200 style.css",
        "/nothing,404 404.html",
        "/nothing/,404 404.html",
        "/api/main.js,404 404.html",
        "/api,404 404.html",
        "/private/plan.txt,404 404.html",
        "/.env,404 404.html",
        "/.well-known/x.txt,200 .well-known/x.txt"
    })
    void answers(String path, String expected) {
        Route route = route(
                false,
                "index.html",
                "about.html",
                "docs/index.html",
                "style.css",
                "404.html",
                "api/main.js",
                "private/plan.txt",
                ".env",
                ".well-known/x.txt");
        assertThat(text(Site.find(route, path))).isEqualTo(expected);
    }

    @Test
    void aSinglePageAppAnswersUnknownPagesButNotUnknownAssets() {
        Route route = route(true, "index.html", "assets/app-1a2b3c.js");
        assertThat(text(Site.find(route, "/settings/profile"))).isEqualTo("200 index.html");
        assertThat(text(Site.find(route, "/assets/gone.js"))).isEqualTo("nothing");
    }

    @Test
    void onlyNamesWithAHashAreKeptForEver() {
        Route route = route(false, "assets/app-1a2b3c.js", "assets/my-logo.png", "index.html");
        assertThat(((Site.Answer.File) Site.find(route, "/assets/app-1a2b3c.js")).cacheControl())
                .contains("immutable");
        assertThat(((Site.Answer.File) Site.find(route, "/assets/my-logo.png")).cacheControl())
                .isEqualTo("public, max-age=300");
        assertThat(((Site.Answer.File) Site.find(route, "/")).cacheControl()).isEqualTo("no-cache");
    }

    @ParameterizedTest
    @CsvSource({
        "main-abc123.js,true",
        "index.4f9a01bc.css,true",
        "chunk-B7xK2_9q.js,true",
        "banner-1200x630.png,false",
        "icon-512px.png,false",
        "photo-20240101.jpg,false",
        "my-component.js,false",
        "logo-2.svg,false",
        "plain.js,false"
    })
    void aHashIsToldFromAName(String name, boolean forEver) {
        Site.Answer.File file = (Site.Answer.File) Site.find(route(false, "assets/" + name), "/assets/" + name);
        assertThat(file.cacheControl().contains("immutable")).isEqualTo(forEver);
        assertThat(((Site.Answer.File) Site.find(route(false, name), "/" + name)).cacheControl())
                .as("outside of assets/")
                .doesNotContain("immutable");
    }

    @Test
    void redirectsStayOnTheSiteAndEnd() {
        Route route = route(false, "a/index.html", "a.html", "b", "c.html", "c/d");
        for (String start : new String[] {"/a", "/a/", "/b/", "/c/", "/c", "/c/d/"}) {
            String path = start;
            Site.Answer answer = Site.find(route, path);
            for (int hops = 0; answer instanceof Site.Answer.Redirect redirect; hops++) {
                assertThat(hops).as(start).isLessThan(2);
                assertThat(redirect.path()).startsWith("/").doesNotStartWith("//");
                answer = Site.find(route, redirect.path());
            }
            assertThat(text(answer)).as(start).startsWith("200");
        }
    }

    private static String text(Site.Answer answer) {
        if (answer instanceof Site.Answer.File file) {
            return file.status() + " " + file.path();
        }
        return answer instanceof Site.Answer.Redirect redirect ? "-> " + redirect.path() : "nothing";
    }

    @ParameterizedTest
    @CsvSource({
        "bytes=0-9,0,10",
        "bytes=90-,90,10",
        "bytes=-5,95,5",
        "bytes=-500,0,100",
        "bytes=50-500,50,50",
        "bytes=100-,0,-1",
        "bytes=-0,0,-1",
        "BYTES=0-0,0,1",
        "bytes=0-99999999999999999999999,0,100",
        "bytes=-99999999999999999999999,0,100",
        "bytes=99999999999999999999999-,0,-1"
    })
    void ranges(String header, long from, long length) {
        assertThat(ByteRange.parse(header, 100)).isEqualTo(new ByteRange(from, length));
    }

    @ParameterizedTest
    @CsvSource({
        "bytes=9-3",
        "lines=1-2",
        "'bytes=0-1,5-6'",
        "bytes=x-",
        "bytes=",
        "bytes=-",
        "bytes=+1-2",
        "bytes",
        "bytes=--1"
    })
    void whatIsNoRangeIsIgnored(String header) {
        assertThat(ByteRange.parse(header, 100)).isNull();
    }
}
