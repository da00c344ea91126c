package sh.fazt.node.site;

import java.util.concurrent.CompletionStage;
import sh.fazt.runtime.App;
import sh.fazt.runtime.Budget;
import sh.fazt.runtime.Request;
import sh.fazt.runtime.Result;

/** The port to server-side code, which is {@code Runtime::invoke}. Thread-safe. */
public interface Functions {
    /** Runs an app's function; completes on a thread of the runtime. */
    CompletionStage<Result> invoke(App app, Request request, Budget budget);
}
