package sh.fazt.runtime;

/** Makes the runtime's threads. Thread-safe. */
@FunctionalInterface
public interface ScriptThreads {
    /**
     * A thread that is not started.
     *
     * @param stackBytes scripts need deep stacks: pass it to the {@link Thread} constructor
     */
    Thread make(Runnable body, String name, long stackBytes);

    /** Plain daemon threads. */
    static ScriptThreads daemons() {
        return (body, name, stackBytes) -> {
            Thread thread = new Thread(null, body, name, stackBytes, false);
            thread.setDaemon(true);
            return thread;
        };
    }
}
