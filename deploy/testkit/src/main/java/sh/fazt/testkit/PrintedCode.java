package sh.fazt.testkit;

import com.google.zxing.BinaryBitmap;
import com.google.zxing.NotFoundException;
import com.google.zxing.RGBLuminanceSource;
import com.google.zxing.ReaderException;
import com.google.zxing.common.HybridBinarizer;
import com.google.zxing.qrcode.QRCodeReader;

/** A QR code of half blocks as a terminal shows it, read as a camera would. Stateless. */
public final class PrintedCode {
    private static final String COLOURS = "\033[38;5;16;48;5;231m";
    private static final String PLAIN = "\033[0m";
    private static final int BLACK = 0xff000000;
    private static final int WHITE = 0xffffffff;
    private static final int DOTS = 8;

    private PrintedCode() {}

    /** Whether each module is black: each line begins with the colours and ends with setting them back. */
    public static boolean[][] modules(String printed) {
        String[] lines = printed.split("\n");
        boolean[][] modules = new boolean[lines.length * 2][];
        for (int i = 0; i < lines.length; i++) {
            if (!lines[i].startsWith(COLOURS) || !lines[i].endsWith(PLAIN)) {
                throw new AssertionError("line " + i + " is not in its own colours: " + lines[i]);
            }
            String cells = lines[i].substring(COLOURS.length(), lines[i].length() - PLAIN.length());
            modules[2 * i] = new boolean[cells.length()];
            modules[2 * i + 1] = new boolean[cells.length()];
            for (int x = 0; x < cells.length(); x++) {
                int halves = " ▀▄█".indexOf(cells.charAt(x));
                if (halves < 0) {
                    throw new AssertionError("no half block in line " + i + ": " + cells);
                }
                modules[2 * i][x] = (halves & 1) != 0;
                modules[2 * i + 1][x] = (halves & 2) != 0;
            }
        }
        return modules;
    }

    /** What the code says. */
    public static String scan(String printed) {
        boolean[][] modules = modules(printed);
        int width = modules[0].length * DOTS;
        int[] pixels = new int[width * modules.length * DOTS];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = modules[i / width / DOTS][i % width / DOTS] ? BLACK : WHITE;
        }
        RGBLuminanceSource seen = new RGBLuminanceSource(width, modules.length * DOTS, pixels);
        try {
            return new QRCodeReader()
                    .decode(new BinaryBitmap(new HybridBinarizer(seen)))
                    .getText();
        } catch (NotFoundException e) {
            throw new AssertionError("no code is seen in:\n" + printed, e);
        } catch (ReaderException e) {
            throw new AssertionError("the code can't be read:\n" + printed, e);
        }
    }
}
