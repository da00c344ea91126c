package sh.fazt.runtime.sandbox;

import static org.objectweb.asm.Opcodes.*;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/**
 * Changes the bytecode of Nashorn and of the scripts that it compiles:
 *
 * <ul>
 *   <li>{@link Meter#poll} before every jump backwards, in scripts on entry of every method too, so that each loop and
 *       each recursion can be stopped, whether the script's own or one in {@code Array.prototype} or the parser;
 *   <li>{@link Meter#reserve} before every array, {@link Meter#length} in every concatenation, no direct buffers;
 *   <li>in scripts a filter at each {@code catch}, so that a script never holds a Java throwable;
 *   <li>the linker for Java objects finds no member of anything, a string's {@code getClass} included;
 *   <li>regular expressions are made by our own class, script classes are instrumented where they are defined.
 * </ul>
 *
 * Inserted code only calls static methods that return nothing or replace the top of the stack, so that no stack frame
 * changes. Counts what it changes: {@link Sites#complete} is false when a hook found no place any more.
 *
 * <p>Thread-safe.
 */
public final class Instrumenter {
    private static final String METER = Type.getInternalName(Meter.class);
    private static final String INSIDE = "sh/fazt/runtime/engine/nashorn/Inside";
    private static final String RUNTIME = "org.openjdk.nashorn.internal.runtime.";
    private static final List<String> POLLED = List.of(
            "org.openjdk.nashorn.internal.objects.",
            RUNTIME,
            "org.openjdk.nashorn.internal.parser.",
            "org.openjdk.nashorn.internal.ir.",
            "org.openjdk.nashorn.internal.codegen.");
    /** Classes that recurse natively on what a script gives them. */
    private static final Set<String> POLLED_ON_ENTRY =
            Set.of(RUNTIME + "JSONFunctions", "org.openjdk.nashorn.internal.objects.NativeJSON");

    /** What was changed. Immutable. */
    public record Sites(
            int polls, int reservations, int linkers, int installers, int concatenations, int expressions, int stacks) {
        /** Whether each hook that is needed exactly once was found. */
        public boolean complete() {
            return linkers == 1
                    && installers == 1
                    && concatenations == 1
                    && expressions == 1
                    && stacks == 1
                    && polls > 100;
        }
    }

    private final AtomicInteger polls = new AtomicInteger();
    private final AtomicInteger reservations = new AtomicInteger();
    private final AtomicInteger linkers = new AtomicInteger();
    private final AtomicInteger installers = new AtomicInteger();
    private final AtomicInteger concatenations = new AtomicInteger();
    private final AtomicInteger expressions = new AtomicInteger();
    private final AtomicInteger stacks = new AtomicInteger();

    Sites sites() {
        return new Sites(
                polls.get(),
                reservations.get(),
                linkers.get(),
                installers.get(),
                concatenations.get(),
                expressions.get(),
                stacks.get());
    }

    byte[] engineClass(String name, byte[] original) {
        boolean polled = POLLED.stream().anyMatch(name::startsWith);
        boolean hooked = name.endsWith(".ScriptLoader")
                || name.endsWith(".NashornBeansLinker")
                || name.endsWith(".NashornException");
        if (!polled && !hooked) {
            return original;
        }
        return change(name, original, false);
    }

    /** Hook: called by the engine for each class that it compiled from a script. */
    public static byte[] scriptClass(byte[] original) {
        return new Instrumenter().change("", original, true);
    }

    private byte[] change(String name, byte[] original, boolean script) {
        ClassReader reader = new ClassReader(original);
        ClassWriter writer = new ClassWriter(reader, 0);
        reader.accept(
                new ClassVisitor(ASM7, writer) {
                    @Override
                    public @Nullable MethodVisitor visitMethod(
                            int access, String method, String descriptor, String signature, String[] exceptions) {
                        MethodVisitor out = super.visitMethod(access, method, descriptor, signature, exceptions);
                        if (name.endsWith(".NashornBeansLinker")
                                && method.equals("getGuardedInvocation")
                                && (access & ACC_STATIC) == 0) {
                            linkers.incrementAndGet();
                            return delegate(out, descriptor, "link");
                        }
                        if (name.endsWith(".RegExpFactory") && method.equals("create")) {
                            expressions.incrementAndGet();
                            return delegate(out, descriptor, "regExp");
                        }
                        if (name.endsWith(".NashornException") && method.equals("getScriptStackString")) {
                            stacks.incrementAndGet();
                            return delegate(out, descriptor, "stack");
                        }
                        boolean onEntry = script || POLLED_ON_ENTRY.contains(name);
                        return new Method(out, name, method, descriptor, script, onEntry && !method.startsWith("<"));
                    }
                },
                0);
        return writer.toByteArray();
    }

    /** Replaces a body by a call of the same shape, without the receiver, and drops the original. */
    private static @Nullable MethodVisitor delegate(MethodVisitor out, String descriptor, String target) {
        boolean instance = target.equals("link");
        out.visitCode();
        int slot = instance ? 1 : 0;
        for (Type argument : Type.getArgumentTypes(descriptor)) {
            out.visitVarInsn(argument.getOpcode(ILOAD), slot);
            slot += argument.getSize();
        }
        out.visitMethodInsn(INVOKESTATIC, INSIDE, target, descriptor, false);
        out.visitInsn(Type.getReturnType(descriptor).getOpcode(IRETURN));
        out.visitMaxs(slot, slot);
        out.visitEnd();
        return null;
    }

    private final class Method extends MethodVisitor {
        private final String owner;
        private final String method;
        private final String descriptor;
        private final boolean script;
        private final boolean onEntry;
        private final Set<Label> passed = new HashSet<>();
        private final Set<Label> handlers = new HashSet<>();
        private boolean atHandler;
        private String caught = "java/lang/Throwable";

        Method(MethodVisitor out, String owner, String method, String descriptor, boolean script, boolean onEntry) {
            super(ASM7, out);
            this.owner = owner;
            this.method = method;
            this.descriptor = descriptor;
            this.script = script;
            this.onEntry = onEntry;
        }

        @Override
        public void visitCode() {
            super.visitCode();
            if (onEntry) {
                poll();
            }
            if (owner.endsWith(".ScriptLoader") && method.equals("installClass")) {
                installers.incrementAndGet();
                int data = 1 + Type.getArgumentTypes(descriptor)[0].getSize();
                super.visitVarInsn(ALOAD, data);
                super.visitMethodInsn(
                        INVOKESTATIC, Type.getInternalName(Instrumenter.class), "scriptClass", "([B)[B", false);
                super.visitVarInsn(ASTORE, data);
            }
        }

        private void poll() {
            polls.incrementAndGet();
            super.visitMethodInsn(INVOKESTATIC, METER, "poll", "()V", false);
        }

        @Override
        public void visitTryCatchBlock(Label start, Label end, Label handler, @Nullable String type) {
            super.visitTryCatchBlock(start, end, handler, type);
            if (script) {
                handlers.add(handler);
            }
        }

        @Override
        public void visitLabel(Label label) {
            super.visitLabel(label);
            passed.add(label);
            if (handlers.contains(label)) {
                atHandler = true;
                caught = "java/lang/Throwable";
            }
        }

        @Override
        public void visitFrame(int type, int locals, Object[] local, int stack, Object[] items) {
            super.visitFrame(type, locals, local, stack, items);
            if (atHandler && stack == 1 && items[0] instanceof String top) {
                caught = top;
            }
        }

        private void instruction() {
            if (atHandler) {
                atHandler = false;
                super.visitMethodInsn(
                        INVOKESTATIC, INSIDE, "caught", "(Ljava/lang/Throwable;)Ljava/lang/Throwable;", false);
                if (!caught.equals("java/lang/Throwable")) {
                    super.visitTypeInsn(CHECKCAST, caught);
                }
            }
        }

        @Override
        public void visitJumpInsn(int opcode, Label label) {
            instruction();
            if (passed.contains(label)) {
                poll();
            }
            super.visitJumpInsn(opcode, label);
        }

        @Override
        public void visitInsn(int opcode) {
            instruction();
            if (opcode == RETURN && owner.endsWith(".ConsString") && method.equals("<init>")) {
                concatenations.incrementAndGet();
                super.visitVarInsn(ALOAD, 0);
                super.visitFieldInsn(GETFIELD, owner.replace('.', '/'), "length", "I");
                super.visitMethodInsn(INVOKESTATIC, METER, "length", "(I)V", false);
            }
            super.visitInsn(opcode);
        }

        @Override
        public void visitIntInsn(int opcode, int operand) {
            instruction();
            if (opcode == NEWARRAY && !script) {
                reserve(
                        switch (operand) {
                            case T_BYTE, T_BOOLEAN -> 1;
                            case T_CHAR, T_SHORT -> 2;
                            case T_INT, T_FLOAT -> 4;
                            default -> 8;
                        });
            }
            super.visitIntInsn(opcode, operand);
        }

        @Override
        public void visitTypeInsn(int opcode, String type) {
            instruction();
            if (opcode == ANEWARRAY && !script) {
                reserve(4);
            }
            super.visitTypeInsn(opcode, type);
        }

        private void reserve(int bytesEach) {
            reservations.incrementAndGet();
            super.visitInsn(DUP);
            super.visitIntInsn(BIPUSH, bytesEach);
            super.visitMethodInsn(INVOKESTATIC, METER, "reserve", "(II)V", false);
        }

        @Override
        public void visitMethodInsn(int opcode, String type, String name, String shape, boolean isInterface) {
            instruction();
            if (type.equals("java/util/Arrays") && name.startsWith("copyOf")) {
                Type element = Type.getArgumentTypes(shape)[0].getElementType();
                if (!shape.contains("Ljava/lang/Class;")) {
                    reserve(element.getSort() == Type.BYTE ? 1 : element.getSize() == 2 ? 8 : 4);
                }
            } else if (type.equals("java/nio/ByteBuffer") && name.equals("allocateDirect")) {
                reservations.incrementAndGet();
                super.visitMethodInsn(INVOKESTATIC, METER, "buffer", shape, false);
                return;
            }
            super.visitMethodInsn(opcode, type, name, shape, isInterface);
        }

        @Override
        public void visitVarInsn(int opcode, int slot) {
            instruction();
            super.visitVarInsn(opcode, slot);
        }

        @Override
        public void visitFieldInsn(int opcode, String type, String name, String shape) {
            instruction();
            super.visitFieldInsn(opcode, type, name, shape);
        }

        @Override
        public void visitInvokeDynamicInsn(
                String name, String shape, org.objectweb.asm.Handle bootstrap, Object... arguments) {
            instruction();
            super.visitInvokeDynamicInsn(name, shape, bootstrap, arguments);
        }

        @Override
        public void visitLdcInsn(Object value) {
            instruction();
            super.visitLdcInsn(value);
        }

        @Override
        public void visitIincInsn(int slot, int by) {
            instruction();
            super.visitIincInsn(slot, by);
        }

        @Override
        public void visitTableSwitchInsn(int min, int max, Label other, Label... labels) {
            instruction();
            pollIfBack(other, labels);
            super.visitTableSwitchInsn(min, max, other, labels);
        }

        @Override
        public void visitLookupSwitchInsn(Label other, int[] keys, Label[] labels) {
            instruction();
            pollIfBack(other, labels);
            super.visitLookupSwitchInsn(other, keys, labels);
        }

        private void pollIfBack(Label other, Label... labels) {
            boolean back = passed.contains(other);
            for (Label label : labels) {
                back |= passed.contains(label);
            }
            if (back) {
                poll();
            }
        }

        @Override
        public void visitMultiANewArrayInsn(String type, int dimensions) {
            instruction();
            super.visitMultiANewArrayInsn(type, dimensions);
        }

        @Override
        public void visitMaxs(int stack, int locals) {
            super.visitMaxs(stack + 3, locals);
        }
    }
}
