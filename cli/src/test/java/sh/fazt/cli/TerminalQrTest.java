package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.zxing.BinaryBitmap;
import com.google.zxing.RGBLuminanceSource;
import com.google.zxing.common.HybridBinarizer;
import com.google.zxing.qrcode.QRCodeReader;
import org.junit.jupiter.api.Test;

/** Reads the printed characters as a camera would see them. */
final class TerminalQrTest {
    private static final String TOKEN =
            "fazt1-cdqaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg234567";
    private static final int BLACK = 0xff000000;
    private static final int WHITE = 0xffffffff;
    private static final int DOTS = 8;

    /** What stands on a terminal: each line begins with the colours and ends with setting them back. */
    private static int[][] modules(String printed) {
        String[] lines = printed.split("\n");
        int[][] modules = new int[lines.length * 2][];
        for (int i = 0; i < lines.length; i++) {
            assertThat(lines[i]).startsWith("\033[38;5;16;48;5;231m").endsWith("\033[0m");
            String cells = lines[i].substring("\033[38;5;16;48;5;231m".length(), lines[i].length() - 4);
            modules[2 * i] = new int[cells.length()];
            modules[2 * i + 1] = new int[cells.length()];
            for (int x = 0; x < cells.length(); x++) {
                char cell = cells.charAt(x);
                assertThat(" ▀▄█").contains(String.valueOf(cell));
                modules[2 * i][x] = cell == '▀' || cell == '█' ? BLACK : WHITE;
                modules[2 * i + 1][x] = cell == '▄' || cell == '█' ? BLACK : WHITE;
            }
        }
        return modules;
    }

    private static String scan(int[][] modules) throws Exception {
        int width = modules[0].length * DOTS;
        int[] pixels = new int[width * modules.length * DOTS];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = modules[i / width / DOTS][i % width / DOTS];
        }
        return new QRCodeReader()
                .decode(new BinaryBitmap(
                        new HybridBinarizer(new RGBLuminanceSource(width, modules.length * DOTS, pixels))))
                .getText();
    }

    @Test
    void whatIsPrintedIsTheToken() throws Exception {
        int[][] modules = modules(TerminalQr.of(TOKEN, 0));
        assertThat(scan(modules)).isEqualToIgnoringCase(TOKEN);
        assertThat(modules[0].length).as("fits the narrowest terminals").isLessThanOrEqualTo(80);
    }

    @Test
    void aQuietZoneOfFourIsAround() {
        int[][] modules = modules(TerminalQr.of(TOKEN, 0));
        int width = modules[0].length;
        for (int y = 0; y < width; y++) {
            for (int x = 0; x < width; x++) {
                if (x < 4 || y < 4 || x >= width - 4 || y >= width - 4) {
                    assertThat(modules[y][x]).isEqualTo(WHITE);
                }
            }
        }
        assertThat(modules[4][4]).isEqualTo(BLACK);
    }

    @Test
    void aTerminalThatIsTooNarrowIsToldHowMuch() {
        int width = modules(TerminalQr.of(TOKEN, 0))[0].length;
        assertThat(TerminalQr.of(TOKEN, width)).isNotEmpty();
        assertThatThrownBy(() -> TerminalQr.of(TOKEN, width - 1))
                .isInstanceOf(Failure.class)
                .hasMessageContaining(width + " columns wide")
                .hasMessageContaining("has " + (width - 1));
    }
}
