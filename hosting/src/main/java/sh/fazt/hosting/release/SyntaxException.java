package sh.fazt.hosting.release;

import java.util.List;

/** Server-side code that does not compile: nothing was deployed. */
public final class SyntaxException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient List<FunctionCheck.Problem> problems;

    public SyntaxException(List<FunctionCheck.Problem> problems) {
        super("the server-side code does not compile; nothing was deployed");
        this.problems = List.copyOf(problems);
    }

    public List<FunctionCheck.Problem> problems() {
        return problems;
    }
}
