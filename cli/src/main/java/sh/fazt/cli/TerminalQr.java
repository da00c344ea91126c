package sh.fazt.cli;

import io.nayuki.qrcodegen.QrCode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A token as a QR code of half blocks, two modules above each other in one character. Its colours are its own, black
 * on white, so that a camera reads it from dark and light terminals alike. Confined to main.
 */
final class TerminalQr {
    /** What the standard wants around a code. */
    private static final int QUIET_ZONE = 4;

    private static final String BLACK_ON_WHITE = "\033[38;5;16;48;5;231m";
    private static final String PLAIN = "\033[0m";
    private static final String[] HALVES = {" ", "▀", "▄", "█"};

    private TerminalQr() {}

    /**
     * @param token   in capitals a code holds half as much again; a token reads the same
     * @param columns that there are, or 0 when that is unknown
     */
    static String of(String token, int columns) {
        QrCode code = QrCode.encodeText(token.toUpperCase(Locale.ROOT), QrCode.Ecc.MEDIUM);
        int width = code.size + 2 * QUIET_ZONE;
        if (columns > 0 && columns < width) {
            throw Failure.failed("the QR code is " + width + " columns wide and this terminal has " + columns
                    + ": widen the window, or use the token itself or --words");
        }
        StringBuilder text = new StringBuilder();
        for (int y = -QUIET_ZONE; y < code.size + QUIET_ZONE; y += 2) {
            text.append(y == -QUIET_ZONE ? "" : "\n").append(BLACK_ON_WHITE);
            for (int x = -QUIET_ZONE; x < code.size + QUIET_ZONE; x++) {
                text.append(HALVES[(code.getModule(x, y) ? 1 : 0) + (code.getModule(x, y + 1) ? 2 : 0)]);
            }
            text.append(PLAIN);
        }
        return text.toString();
    }

    /** How wide the terminal is; 0 when the output goes elsewhere or nobody says. */
    static int columns(Terminal terminal) {
        if (!terminal.interactive()) {
            return 0;
        }
        String given = System.getenv("COLUMNS");
        return given != null && given.matches("[0-9]{1,5}") ? Integer.parseInt(given) : asked();
    }

    private static int asked() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            stty.waitFor(1, TimeUnit.SECONDS);
            return size.matches("[0-9]+ [0-9]{1,5}") ? Integer.parseInt(size.substring(size.indexOf(' ') + 1)) : 0;
        } catch (IOException e) {
            // No stty, or no terminal behind it: the code is printed as it is.
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }
}
