package sh.fazt.hosting.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.hosting.HostingException;

class BundleSettingsTest {
    private static BundleSettings parse(String json) {
        return BundleSettings.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void onlyTheTopLevelMemberCounts() {
        assertThat(parse("{\"name\":\"x\",\"spa\":true}").spa()).isTrue();
        assertThat(parse("{\"spa\":false}").spa()).isFalse();
        assertThat(parse("{\"icons\":[{\"spa\":true}],\"text\":\"\\\"spa\\\": true\"}")
                        .spa())
                .isFalse();
        assertThat(parse("{}").spa()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"spa\": tru}|line 1, column",
                "[]|no JSON object",
                "''|no JSON object",
                "{\"spa\": \"yes\"}|true or false, not yes",
                "{} {}|follows",
                "{\"a\":[1|line 1, column"
            })
    void whatIsWrongIsNamed(String json, String message) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(HostingException.class)
                .hasMessageContaining("manifest.json")
                .hasMessageContaining(message);
    }
}
