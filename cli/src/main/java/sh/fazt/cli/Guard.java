package sh.fazt.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Ends a command when this process is killed and can't do so itself: a shell reads a pipe that the system closes then.
 * The command is neither its child nor in a group of its own, so that a terminal is the command's as ever. Confined to
 * main, but for the end, which any thread may bring.
 */
final class Guard implements AutoCloseable {
    private final Process shell;

    private Guard(Process shell) {
        this.shell = shell;
    }

    /** Begins before the command does: only the moment of its start is without it. */
    static Guard start(String lease) throws IOException {
        String script;
        try (InputStream in = Guard.class.getResourceAsStream("guard.sh")) {
            if (in == null) {
                throw new IllegalStateException("guard.sh is not in this executable");
            }
            script = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        return new Guard(new ProcessBuilder("sh", "-c", script, "sh", lease)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /**
     * From now on the command ends when this process is killed.
     *
     * @param grace how long it may go on after SIGTERM
     */
    void begin(Process command, Duration grace) throws IOException {
        say(command.pid() + " " + Math.max(1, grace.toSeconds()));
    }

    /** The command has ended, or was never begun. */
    @Override
    public synchronized void close() {
        try {
            say("over");
        } catch (IOException gone) {
            // Somebody killed it, or this is the second time: there is nothing to tell.
        }
    }

    private void say(String line) throws IOException {
        shell.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        shell.getOutputStream().flush();
    }
}
