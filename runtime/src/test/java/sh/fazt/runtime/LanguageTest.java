package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What of the language works: the list in {@code probes.js} is the one that we publish. */
final class LanguageTest {
    private static final Apps APPS = new Apps();

    @AfterAll
    static void close() {
        APPS.close();
    }

    @TestFactory
    List<DynamicTest> probes() throws IOException {
        String text;
        try (InputStream in = Objects.requireNonNull(LanguageTest.class.getResourceAsStream("probes.js"))) {
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        List<DynamicTest> tests = new ArrayList<>();
        for (String probe : text.split("(?m)^### ", -1)) {
            int end = probe.indexOf('\n');
            if (probe.startsWith("//") || end < 0) {
                continue;
            }
            String name = probe.substring(0, end).strip();
            String code = probe.substring(end + 1);
            tests.add(DynamicTest.dynamicTest(name, () -> {
                Result result = APPS.run(code);
                String body = result instanceof Result.Response response
                        ? new String(response.body(), StandardCharsets.UTF_8)
                        : result.toString();
                if (name.startsWith("no ")) {
                    assertThat(body)
                            .as("a gap was closed: take it off the list")
                            .isNotEqualTo("true");
                } else {
                    assertThat(body).isEqualTo("true");
                }
            }));
        }
        assertThat(tests).hasSizeGreaterThan(120);
        return tests;
    }
}
