package sh.fazt.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operands and flags of one command as they were typed; flags may stand anywhere. Immutable. */
final class Arguments {
    private final Command command;
    private final List<String> operands;
    private final Map<String, String> flags;

    private Arguments(Command command, List<String> operands, Map<String, String> flags) {
        this.command = command;
        this.operands = operands;
        this.flags = flags;
    }

    /** Reads what follows the command's words; fails with a usage {@link Failure}. */
    static Arguments parse(Command command, List<Command.Flag> common, List<String> rest) {
        List<Command.Flag> known = new ArrayList<>(command.flags());
        known.addAll(common);
        List<String> operands = new ArrayList<>();
        Map<String, String> flags = new HashMap<>();
        boolean onlyOperands = false;
        for (int i = 0; i < rest.size(); i++) {
            String word = rest.get(i);
            if (onlyOperands || !word.startsWith("-") || word.equals("-")) {
                operands.add(word);
                continue;
            }
            if (word.equals("--")) {
                onlyOperands = true;
                continue;
            }
            String name = word.startsWith("--") ? word.substring(2) : word.substring(1);
            String value = null;
            int equals = name.indexOf('=');
            if (equals >= 0) {
                value = name.substring(equals + 1);
                name = name.substring(0, equals);
            }
            Command.Flag flag = find(known, name);
            if (flag == null) {
                throw Failure.usage("fazt " + command.words() + " has no flag --" + name + suggestion(known, name)
                        + "\nusage: " + command.synopsis());
            }
            if (!flag.takesValue()) {
                if (value != null) {
                    throw Failure.usage("--" + name + " takes no value, not \"" + value + "\"");
                }
                value = "true";
            } else if (value == null) {
                if (i + 1 == rest.size()) {
                    throw Failure.usage("--" + name + " wants a value: --" + name + " " + flag.value());
                }
                value = rest.get(++i);
            }
            if (flags.put(name, value) != null) {
                throw Failure.usage("--" + name + " is given twice: give it once");
            }
        }
        checkCount(command, operands);
        String format = flags.get("format");
        if (format != null && !format.equals("json") && !format.equals("table")) {
            throw Failure.usage("--format is json or table, not \"" + format + "\"");
        }
        return new Arguments(command, List.copyOf(operands), Map.copyOf(flags));
    }

    private static void checkCount(Command command, List<String> operands) {
        int required = 0;
        for (String operand : command.operands()) {
            if (!operand.startsWith("[")) {
                required++;
            }
        }
        if (operands.size() < required) {
            throw Failure.usage("fazt " + command.words() + " wants "
                    + command.operands().get(operands.size()) + "\nusage: " + command.synopsis());
        }
        boolean several = required > 0 && command.operands().get(required - 1).endsWith("...");
        if (operands.size() > command.operands().size() && !several) {
            throw Failure.usage("fazt " + command.words() + " does not know what to do with \""
                    + operands.get(command.operands().size()) + "\"\nusage: " + command.synopsis());
        }
    }

    private static Command.@Nullable Flag find(List<Command.Flag> known, String name) {
        for (Command.Flag flag : known) {
            if (flag.name().equals(name)) {
                return flag;
            }
        }
        return null;
    }

    private static String suggestion(List<Command.Flag> known, String name) {
        List<String> names = new ArrayList<>();
        for (Command.Flag flag : known) {
            names.add(flag.name());
        }
        String nearest = Nearest.to(name, names);
        return nearest == null ? "" : "; did you mean --" + nearest + "?";
    }

    Command command() {
        return command;
    }

    String operand(int index) {
        return operands.get(index);
    }

    /** Those from an index on, as they were typed. */
    List<String> operandsFrom(int index) {
        return operands.subList(index, operands.size());
    }

    /** All of them, with a space between. */
    String operands() {
        return String.join(" ", operands);
    }

    @Nullable
    String flag(String name) {
        return flags.get(name);
    }

    String flag(String name, String otherwise) {
        return flags.getOrDefault(name, otherwise);
    }

    boolean has(String name) {
        return flags.containsKey(name);
    }

    /** The cartridge by the one rule: {@code --db}, else {@code FAZT_DB}, else {@code ~/.fazt/data.db}. */
    Path cartridge() {
        String given = flags.get("db");
        if (given == null || given.isEmpty()) {
            given = System.getenv("FAZT_DB");
        }
        if (given == null || given.isEmpty()) {
            // What a shell calls ~, which Java's own idea of it need not be.
            String home = System.getenv("HOME");
            return Path.of(home == null || home.isEmpty() ? System.getProperty("user.home") : home, ".fazt", "data.db");
        }
        return Path.of(given).toAbsolutePath().normalize();
    }

    /** Whether to print JSON rather than a table. */
    boolean json(Terminal terminal) {
        String format = flags.get("format");
        return format == null ? !terminal.interactive() : format.equals("json");
    }
}
