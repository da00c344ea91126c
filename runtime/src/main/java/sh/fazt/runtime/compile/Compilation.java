package sh.fazt.runtime.compile;

import java.util.List;
import sh.fazt.runtime.Problem;

/** What compiling one file came to. */
public sealed interface Compilation {
    /** It can be run. */
    record Done(CompiledScript script) implements Compilation {}

    /** It can't; there is at least one problem. */
    record Rejected(List<Problem> problems) implements Compilation {
        public Rejected {
            problems = List.copyOf(problems);
        }
    }
}
