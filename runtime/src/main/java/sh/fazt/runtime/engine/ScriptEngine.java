package sh.fazt.runtime.engine;

/** Makes realms. Thread-safe. */
public interface ScriptEngine {
    /** A fresh global scope for one release of one app. Takes some ten milliseconds. */
    Realm open(RealmHost host);
}
