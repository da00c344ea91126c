package sh.fazt.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The {@code fazt} command. Exits 0 on success, 1 on failure, 2 on wrong usage. */
public final class Main {
    private Main() {}

    /** The entry point of the executable. */
    public static void main(String[] args) {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        int code = run(args, new Terminal(System.in, out, err, System.console() != null && terminalOut()));
        out.flush();
        System.exit(code);
    }

    /** JDK 22 and later answer a console even when the output is a pipe; the launcher knows better. */
    private static boolean terminalOut() {
        return !"0".equals(System.getProperty("fazt.tty"));
    }

    static int run(String[] args, Terminal terminal) {
        try {
            return dispatch(List.of(args), terminal);
        } catch (Failure failure) {
            terminal.say("fazt: " + failure.getMessage());
            return failure.exitCode();
        } catch (Exception e) {
            String message = e.getMessage();
            terminal.say("fazt: " + (message == null || message.isBlank() ? e.toString() : message));
            if (System.getenv("FAZT_DEBUG") != null) {
                e.printStackTrace(terminal.err());
            }
            return 1;
        }
    }

    private static int dispatch(List<String> args, Terminal terminal) throws Exception {
        if (args.isEmpty() || args.get(0).equals("help") || isHelp(args.get(0))) {
            terminal.result(help(args.size() > 1 ? String.join(" ", args.subList(1, args.size())) : ""));
            return 0;
        }
        if (args.get(0).equals("version") || args.get(0).equals("--version")) {
            terminal.result("fazt " + version());
            return 0;
        }
        for (int words = Math.min(3, args.size()); words > 0; words--) {
            String typed = String.join(" ", args.subList(0, words));
            for (Command command : Commands.ALL) {
                if (command.words().equals(typed)) {
                    List<String> rest = args.subList(words, args.size());
                    for (String word : rest) {
                        if (word.equals("--")) {
                            break;
                        }
                        if (isHelp(word)) {
                            terminal.result(help(command));
                            return 0;
                        }
                    }
                    return command.action().run(Arguments.parse(command, Commands.COMMON, rest), terminal);
                }
            }
        }
        throw unknown(args, terminal);
    }

    private static boolean isHelp(String word) {
        return word.equals("--help") || word.equals("-h");
    }

    private static Failure unknown(List<String> args, Terminal terminal) {
        String first = args.get(0);
        Set<String> groups = new LinkedHashSet<>();
        List<String> all = new ArrayList<>();
        for (Command command : Commands.ALL) {
            groups.add(command.words().split(" ")[0]);
            all.add(command.words());
        }
        if (groups.contains(first) && (args.size() == 1 || args.get(1).startsWith("-"))) {
            return Failure.usage("fazt " + first + " wants one more word\n" + help(first));
        }
        String two = args.size() > 1 ? first + " " + args.get(1) : first;
        if (all.stream().anyMatch(words -> words.startsWith(two + " "))
                && (args.size() == 2 || args.get(2).startsWith("-"))) {
            return Failure.usage("fazt " + two + " wants one more word\n" + help(two));
        }
        String typed = groups.contains(first) ? first + " " + args.get(1) : first;
        List<String> candidates = groups.contains(first) ? all : new ArrayList<>(groups);
        String nearest = Nearest.to(typed, candidates);
        return Failure.usage("there is no command \"" + typed + "\""
                + (nearest == null ? "" : "; did you mean \"fazt " + nearest + "\"?") + "\nsee \"fazt help\"");
    }

    private static String help(String group) {
        Table table = new Table("", "");
        for (Command command : Commands.ALL) {
            if (group.isEmpty()
                    || command.words().equals(group)
                    || command.words().startsWith(group + " ")) {
                StringBuilder words = new StringBuilder("  fazt ").append(command.words());
                command.operands().forEach(operand -> words.append(' ').append(operand));
                table.row(words.toString(), command.summary());
            }
        }
        return "fazt: your own cloud, one executable and one file per node" + table
                + "\n\nEvery command takes --db FILE and --format json|table; \"fazt COMMAND --help\" shows its flags.";
    }

    private static String help(Command command) {
        Table table = new Table("", "");
        for (Command.Flag flag : command.flags()) {
            table.row("  --" + flag.name() + (flag.takesValue() ? " " + flag.value() : ""), flag.summary());
        }
        for (Command.Flag flag : Commands.COMMON) {
            table.row("  --" + flag.name() + " " + flag.value(), flag.summary());
        }
        return command.synopsis() + "\n" + command.summary() + table;
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }
}
