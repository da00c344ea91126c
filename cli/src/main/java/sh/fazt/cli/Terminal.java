package sh.fazt.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Where a command reads and writes: results on {@code out}, everything else on {@code err}. Confined to main. */
final class Terminal {
    private final BufferedReader in;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean interactive;

    Terminal(InputStream in, PrintStream out, PrintStream err, boolean interactive) {
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
        this.err = err;
        this.interactive = interactive;
    }

    /** Whether a person sees {@code out}, so that a table serves better than JSON. */
    boolean interactive() {
        return interactive;
    }

    void result(String line) {
        out.println(line);
        out.flush();
    }

    void say(String line) {
        err.println(line);
        err.flush();
    }

    /** Asks on stderr, so that stdout stays clean; null at the end of the input. */
    @Nullable
    String ask(String prompt) {
        err.print(prompt);
        err.flush();
        try {
            return in.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }
}
