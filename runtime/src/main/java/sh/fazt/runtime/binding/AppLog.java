package sh.fazt.runtime.binding;

/** Where {@code console} and uncaught errors go. Thread-safe; must not block: it may drop lines when it is full. */
@FunctionalInterface
public interface AppLog {
    /** How loud a line is. */
    enum Level {
        DEBUG,
        INFO,
        WARN,
        ERROR
    }

    void write(String appId, Level level, String message);
}
