package sh.fazt.runtime.sandbox;

/** Thrown through a script whose budget is used up. Scripts can't catch it. */
public final class Kill extends Error {
    Kill() {
        super("the budget of this invocation is used up", null, false, false);
    }
}
