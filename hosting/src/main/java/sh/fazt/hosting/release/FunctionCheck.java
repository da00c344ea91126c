package sh.fazt.hosting.release;

import java.util.List;
import java.util.Map;

/** The port that looks at server-side code before it is released. */
public interface FunctionCheck {
    /** What is wrong with the sources under {@code api/}; none when they compile. Path to text. */
    List<Problem> check(Map<String, String> sources);

    /** A place in a file, lines and columns from 1. */
    record Problem(String file, int line, int column, String message) {}
}
