/** Benchmarks that run inside one Java process; the others are scripts beside this module's POM. Each prints one table. */
@NullMarked
package sh.fazt.bench;

import org.jspecify.annotations.NullMarked;
