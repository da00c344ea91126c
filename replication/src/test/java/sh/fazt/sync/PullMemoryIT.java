package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Two nodes in a process of its own, with far less memory than what one pulls of the other. */
class PullMemoryIT {
    private static final int ROWS = 160;

    @TempDir
    Path folder;

    @Test
    @Timeout(200)
    void aScopeOf160MibIsPulledWithAHeapOf80() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx80m",
                        "-XX:MaxDirectMemorySize=64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PullMemoryIT.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(new File(folder.toFile(), "output"))
                .start();
        try {
            boolean ended = process.waitFor(180, TimeUnit.SECONDS);
            String output = java.nio.file.Files.readString(folder.resolve("output"), StandardCharsets.UTF_8);
            assertThat(ended).as(output).isTrue();
            assertThat(process.exitValue()).as(output).isZero();
            assertThat(output).contains("pulled " + ROWS + " rows").doesNotContain("OutOfMemory");
        } finally {
            process.destroyForcibly();
        }
    }

    /** The process. @param args the folder */
    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        try (Side writer = new Side(folder.resolve("writer"));
                Side reader = new Side(folder.resolve("reader"))) {
            for (int row = 0; row < ROWS; row++) {
                LargePullIT.write(writer, "r" + row, 1, 1);
            }
            reader.trust(writer);
            writer.trust(reader);
            Await.until("all is pulled", Duration.ofSeconds(150), () -> reader.pairs() == ROWS);
            System.out.println("pulled " + reader.pairs() + " rows");
        }
        System.exit(0);
    }
}
