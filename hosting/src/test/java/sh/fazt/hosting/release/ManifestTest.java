package sh.fazt.hosting.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.hosting.HostingException;

class ManifestTest {
    private static final String HASH = "ab".repeat(32);

    @ParameterizedTest
    @CsvSource({
        "../secret,leaves its folder",
        "a/../../b,leaves its folder",
        "a/./b,leaves its folder",
        "/etc/passwd,absolute path",
        "a\\b,backslash",
        "a//b,empty part",
        "a/,empty part",
        "'',1 to 512"
    })
    void aBadPathIsRefusedByName(String path, String message) {
        assertThatThrownBy(() -> new Manifest(List.of(new Manifest.File(path, HASH, 1))))
                .isInstanceOf(HostingException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aPathIsInOneFormAndProperUnicode() {
        Manifest manifest = new Manifest(List.of(new Manifest.File("cafe\u0301.html", HASH, 1)));
        assertThat(manifest.byPath()).containsOnlyKeys("caf\u00e9.html");
        assertThatThrownBy(() -> new Manifest(List.of(
                        new Manifest.File("cafe\u0301.html", HASH, 1), new Manifest.File("caf\u00e9.html", HASH, 1))))
                .hasMessageContaining("there twice");
        assertThatThrownBy(() -> new Manifest(List.of(new Manifest.File("a\ud800b", HASH, 1))))
                .hasMessageContaining("Unicode");
        assertThatThrownBy(() -> new Manifest(List.of(new Manifest.File("a\0b", HASH, 1))))
                .hasMessageContaining("control character");
        assertThat(new Manifest(List.of(new Manifest.File("\ud83d\ude00.txt", HASH, 1))).bytes())
                .isEqualTo(1);
    }

    @Test
    void limitsAndRulesAreNamed() {
        assertThatThrownBy(() -> new Manifest(List.of())).hasMessageContaining("at least one file");
        assertThatThrownBy(() -> new Manifest(List.of(new Manifest.File("a", HASH, (100L << 20) + 1))))
                .hasMessageContaining("100 MiB");
        assertThatThrownBy(() -> new Manifest(List.of(new Manifest.File("a", "xyz", 1))))
                .hasMessageContaining("64 lower-case hex");
        assertThatThrownBy(() ->
                        new Manifest(List.of(new Manifest.File("A.txt", HASH, 1), new Manifest.File("a.txt", HASH, 1))))
                .hasMessageContaining("differ in case only");
        List<Manifest.File> many = new ArrayList<>();
        for (int i = 0; i <= Manifest.MOST_FILES; i++) {
            many.add(new Manifest.File("f" + i, HASH, 1));
        }
        assertThatThrownBy(() -> new Manifest(many)).hasMessageContaining("10000 files");
    }
}
