package sh.fazt.runtime.engine.nashorn;

import org.openjdk.nashorn.internal.runtime.ScriptObject;
import sh.fazt.runtime.engine.RealmHost;

/** The global {@code fazt}: the app that runs, and its data. Confined to the realm's thread. */
final class AppFunctions {
    private final Answers answers = new Answers();
    private final ScriptObject fazt = HostFunctions.object();

    AppFunctions(RealmHost host, Shapes shapes) {
        ScriptObject kv = HostFunctions.object();
        new KeyValueFunctions(host.keyValues(), host.app().id(), shapes, answers).install(kv);
        ScriptObject ds = HostFunctions.object();
        new DocumentFunctions(host.documents(), host.app().id(), shapes, answers).install(ds);
        ScriptObject app = HostFunctions.object();
        app.set("id", host.app().id(), 0);
        app.set("name", host.app().name(), 0);
        ScriptObject storage = HostFunctions.object();
        for (ScriptObject holder : new ScriptObject[] {app, storage}) {
            holder.set("kv", kv, 0);
            holder.set("ds", ds, 0);
        }
        fazt.set("app", app, 0);
        fazt.set("storage", storage, 0);
    }

    void install(ScriptObject global) {
        HostFunctions.define(global, "fazt", fazt);
    }

    /** Whether that was thrown because the disk has no room. */
    boolean refused(Object thrown) {
        return answers.refused(thrown);
    }
}
