package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import sh.fazt.testkit.PrintedCode;

/** The printed characters, seen as by a camera. */
final class TerminalQrTest {
    private static final String TOKEN =
            "fazt1-cdqaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg234567";

    @Test
    void whatIsPrintedIsTheToken() {
        String printed = TerminalQr.of(TOKEN, 0);
        assertThat(PrintedCode.scan(printed)).isEqualToIgnoringCase(TOKEN);
        assertThat(PrintedCode.modules(printed)[0].length)
                .as("fits the narrowest terminals")
                .isLessThanOrEqualTo(80);
    }

    @Test
    void aQuietZoneOfFourIsAround() {
        boolean[][] modules = PrintedCode.modules(TerminalQr.of(TOKEN, 0));
        int width = modules[0].length;
        for (int y = 0; y < width; y++) {
            for (int x = 0; x < width; x++) {
                if (x < 4 || y < 4 || x >= width - 4 || y >= width - 4) {
                    assertThat(modules[y][x]).isFalse();
                }
            }
        }
        assertThat(modules[4][4]).isTrue();
    }

    @Test
    void aTerminalThatIsTooNarrowIsToldHowMuch() {
        int width = PrintedCode.modules(TerminalQr.of(TOKEN, 0))[0].length;
        assertThat(TerminalQr.of(TOKEN, width)).isNotEmpty();
        assertThatThrownBy(() -> TerminalQr.of(TOKEN, width - 1))
                .isInstanceOf(Failure.class)
                .hasMessageContaining(width + " columns wide")
                .hasMessageContaining("has " + (width - 1));
    }
}
