package sh.fazt.cli;

import java.util.List;

/**
 * One line of the command table. Immutable.
 *
 * @param words     what is typed, for instance {@code swarm join}
 * @param operands  names of what follows, all required; a name in brackets may be left out, of a last one
 *                  with dots there may be several, and one with two dashes before it comes after the flags
 * @param flags     the flags that it takes, beside {@code --db} and {@code --format}
 * @param summary   one line for the help
 * @param action    does it, answering the exit code
 */
record Command(String words, List<String> operands, List<Flag> flags, String summary, Action action) {

    /**
     * A flag. Immutable.
     *
     * @param name    without dashes
     * @param value   what its value is called in the help; empty for a switch
     * @param summary one line for the help
     */
    record Flag(String name, String value, String summary) {
        boolean takesValue() {
            return !value.isEmpty();
        }
    }

    /** What a command does. */
    interface Action {
        int run(Arguments arguments, Terminal terminal) throws Exception;
    }

    /** The command as it is typed, with its operands and flags. */
    String synopsis() {
        StringBuilder text = new StringBuilder("fazt ").append(words);
        StringBuilder last = new StringBuilder();
        for (String operand : operands) {
            // What follows two dashes is not for fazt to read: its own flags come before.
            (operand.startsWith("-- ") ? last : text).append(' ').append(operand);
        }
        for (Flag flag : flags) {
            text.append(" [--").append(flag.name());
            if (flag.takesValue()) {
                text.append(' ').append(flag.value());
            }
            text.append(']');
        }
        return text.append(last).toString();
    }
}
