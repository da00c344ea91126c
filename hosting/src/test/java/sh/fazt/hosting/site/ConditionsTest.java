package sh.fazt.hosting.site;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConditionsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"abc\"",
                "W/\"abc\"",
                "*",
                " * ",
                "\"x\", \"abc\"",
                "\"x\",W/\"abc\" , \"y\"",
                "\"a,b\", \"abc\""
            })
    void theVisitorHasIt(String header) {
        assertThat(Conditions.has(header, "\"abc\"")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"abcd\"",
                "\"xabc\"",
                "abc",
                "",
                "\"ab",
                "\"x\" *",
                "\"abc-gzip\"",
                "*, \"x\"",
                "W/",
                "\"x\", abc"
            })
    void theVisitorHasSomethingElse(String header) {
        assertThat(Conditions.has(header, "\"abc\"")).isFalse();
        assertThat(Conditions.has(null, "\"abc\"")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gzip",
                "gzip, deflate, br, zstd",
                "br;q=1.0, gzip;q=0.8, *;q=0.1",
                "*",
                "GZIP",
                "x-gzip",
                "br,gzip",
                "gzip ; q=0.001",
                "identity;q=0, *"
            })
    void gzipIsTaken(String header) {
        assertThat(Conditions.gzip(header)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "br",
                "gzip;q=0",
                "gzip;q=0.000, br",
                "gzip; q=0.0",
                "*;q=0",
                "*, gzip;q=0",
                "gzipped",
                "notgzip"
            })
    void gzipIsNotTaken(String header) {
        assertThat(Conditions.gzip(header)).isFalse();
        assertThat(Conditions.gzip(null)).isFalse();
    }

    @Test
    void aRangeHoldsForTheVeryThingOnly() {
        assertThat(Conditions.rangeHolds(null, "\"abc\"")).isTrue();
        assertThat(Conditions.rangeHolds("\"abc\"", "\"abc\"")).isTrue();
        assertThat(Conditions.rangeHolds("W/\"abc\"", "\"abc\"")).isFalse();
        assertThat(Conditions.rangeHolds("Tue, 24 Nov 2026 10:00:00 GMT", "\"abc\""))
                .isFalse();
    }
}
