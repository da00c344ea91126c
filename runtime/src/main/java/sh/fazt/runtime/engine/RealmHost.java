package sh.fazt.runtime.engine;

import java.util.random.RandomGenerator;
import sh.fazt.runtime.App;
import sh.fazt.runtime.binding.AppLog;
import sh.fazt.runtime.binding.Documents;
import sh.fazt.runtime.binding.KeyValues;
import sh.fazt.runtime.module.Modules;

/**
 * What a realm needs from the world. Immutable.
 *
 * @param random unpredictable: it makes the tokens of apps
 */
public record RealmHost(
        App app, Modules modules, KeyValues keyValues, Documents documents, AppLog log, RandomGenerator random) {}
