package sh.fazt.runtime.compile;

import com.google.javascript.jscomp.AbstractCompiler;
import com.google.javascript.jscomp.CompilerPass;
import com.google.javascript.jscomp.DiagnosticType;
import com.google.javascript.jscomp.JSError;
import com.google.javascript.jscomp.NodeUtil;
import com.google.javascript.rhino.IR;
import com.google.javascript.rhino.Node;
import com.google.javascript.rhino.Token;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Closure does not do, on the tree before it starts:
 *
 * <ul>
 *   <li>the value of the entry's last statement becomes what its function returns;
 *   <li>{@code #name}, which came in as an identifier that begins with the marker, becomes a member whose key is a
 *       symbol of the class, so that neither {@code JSON} nor {@code Object.keys} sees it;
 *   <li>an object literal that spreads others becomes a call of {@code $spread};
 *   <li>what is read of {@code super} in a method becomes a call of {@code $super}, which knows {@code this}: Closure
 *       reads it off the parent's prototype, so that a getter there would not see the object;
 *   <li>a regular expression that ES5 can't spell becomes a call of {@code $re};
 *   <li>names of the machinery and {@code with} are refused.
 * </ul>
 *
 * Used once, on the compiling thread.
 */
final class Rewrite implements CompilerPass {
    static final String ENTRY = "$main";
    static final String MODULE = "$module";
    private static final String COMPLETION = "$completion";
    private static final DiagnosticType REFUSED = DiagnosticType.error("FAZT_REFUSED", "{0}");

    private final AbstractCompiler compiler;
    private final ScriptCompiler.Kind kind;
    private final char marker;
    private final Deque<Map<String, String>> classes = new ArrayDeque<>();
    private final List<Node> symbols = new ArrayList<>();
    private int suspectLine;
    private int named;

    Rewrite(AbstractCompiler compiler, ScriptCompiler.Kind kind, char marker) {
        this.compiler = compiler;
        this.kind = kind;
        this.marker = marker;
    }

    /** The wrapped line of the last construct that is known to break the compiler, or 0. */
    int suspectLine() {
        return suspectLine;
    }

    @Override
    public void process(Node externs, Node root) {
        for (Node script = root.getFirstChild(); script != null; script = script.getNext()) {
            Node statement = script.getFirstChild();
            if (statement == null
                    || !statement.isExprResult()
                    || !statement.getFirstChild().isFunction()) {
                continue;
            }
            Node body = statement.getFirstChild().getLastChild();
            visitChildren(body);
            if (kind == ScriptCompiler.Kind.ENTRY) {
                keepCompletion(body);
            }
            for (Node symbol : symbols) {
                body.addChildToFront(symbol.srcrefTreeIfMissing(body));
            }
            compiler.reportChangeToEnclosingScope(body);
        }
    }

    private void keepCompletion(Node body) {
        for (Node statement = body.getFirstChild(); statement != null; statement = statement.getNext()) {
            assignValues(statement);
        }
        body.addChildToFront(IR.var(IR.name(COMPLETION)).srcrefTree(body));
        body.addChildToBack(IR.returnNode(IR.name(COMPLETION)).srcrefTree(body));
    }

    private void assignValues(Node statement) {
        if (statement.isExprResult()) {
            Node value = statement.getFirstChild();
            value.detach();
            Node assign = IR.assign(IR.name(COMPLETION).srcref(value), value).srcref(value);
            statement.addChildToFront(assign);
            return;
        }
        if (statement.isFunction() || statement.isClass()) {
            return;
        }
        for (Node child = statement.getFirstChild(); child != null; child = child.getNext()) {
            if (child.isBlock() || child.isExprResult() || isStatementHolder(child)) {
                assignValues(child);
            }
        }
    }

    private static boolean isStatementHolder(Node node) {
        return switch (node.getToken()) {
            case IF, FOR, FOR_IN, FOR_OF, FOR_AWAIT_OF, WHILE, DO, TRY, CATCH, SWITCH, CASE, DEFAULT_CASE, LABEL ->
                true;
            default -> false;
        };
    }

    private void visitChildren(Node parent) {
        for (Node child = parent.getFirstChild(); child != null; ) {
            Node next = child.getNext();
            visit(child);
            child = next;
        }
    }

    private void visit(Node node) {
        switch (node.getToken()) {
            case CLASS -> {
                name(node);
                classes.push(declared(node.getLastChild()));
                visitChildren(node);
                classes.pop();
                return;
            }
            case WITH -> refuse(node, "with is not supported");
            case SUPER -> {
                if (classes.isEmpty()) {
                    suspectLine = node.getLineno();
                }
            }
            case REGEXP -> {
                visitRegExp(node);
                return;
            }
            case NAME -> visitName(node);
            case GETPROP, GETELEM, OPTCHAIN_GETPROP -> {
                if (node.getFirstChild().isSuper() && visitSuper(node)) {
                    return;
                }
                visitMember(node);
            }
            case MEMBER_FIELD_DEF, MEMBER_FUNCTION_DEF, GETTER_DEF, SETTER_DEF -> {
                visitChildren(node);
                visitDefinition(node);
                return;
            }
            case OBJECTLIT -> {
                visitChildren(node);
                visitObject(node);
                return;
            }
            case STRINGLIT, STRING_KEY -> restore(node);
            case TEMPLATELIT_STRING -> {
                String cooked = node.getCookedString();
                if (node.getRawString().indexOf(marker) >= 0) {
                    Node fresh = Node.newTemplateLitString(
                            cooked == null ? null : cooked.replace(marker, '#'),
                            node.getRawString().replace(marker, '#'));
                    node.replaceWith(fresh.srcref(node));
                }
                return;
            }
            default -> {}
        }
        visitChildren(node);
    }

    private void restore(Node node) {
        String text = node.getString();
        if (text.indexOf(marker) >= 0) {
            node.setString(text.replace(marker, '#'));
        }
    }

    private Map<String, String> declared(Node members) {
        Map<String, String> names = new LinkedHashMap<>();
        for (Node member = members.getFirstChild(); member != null; member = member.getNext()) {
            switch (member.getToken()) {
                case MEMBER_FIELD_DEF, MEMBER_FUNCTION_DEF, GETTER_DEF, SETTER_DEF -> {
                    String name = member.getString();
                    if (isPrivate(name) && !names.containsKey(name)) {
                        String variable = "$private" + symbols.size();
                        names.put(name, variable);
                        symbols.add(IR.var(
                                IR.name(variable), IR.call(IR.name("Symbol"), IR.string("#" + name.substring(1)))));
                    }
                }
                default -> {}
            }
        }
        return names;
    }

    private boolean isPrivate(String name) {
        return !name.isEmpty() && name.charAt(0) == marker;
    }

    private @Nullable String variable(Node at, String name) {
        for (Map<String, String> names : classes) {
            String variable = names.get(name);
            if (variable != null) {
                return variable;
            }
        }
        refuse(at, "the private name #" + name.substring(1) + " is not declared in an enclosing class");
        return null;
    }

    private void visitName(Node node) {
        String name = node.getString();
        if (isPrivate(name)) {
            // Only `#name in object` gets here: everywhere else a private name is part of a member.
            String variable = variable(node, name);
            if (variable != null) {
                node.setString(variable);
            }
        } else if (name.startsWith("$jscomp")
                || name.equals("$re")
                || name.equals("$spread")
                || name.equals("$super")
                || name.startsWith("$class") && !node.getParent().isClass()
                || name.equals(COMPLETION)
                || name.startsWith("$private")) {
            refuse(node, name + " is reserved: choose another name");
        }
    }

    /** A class without a name gets one, for {@link #visitSuper}: its methods see it, nobody else does. */
    private void name(Node definition) {
        if (definition.getFirstChild().isEmpty() && !definition.getSecondChild().isEmpty()) {
            definition.getFirstChild().replaceWith(IR.name("$class" + named++).srcref(definition));
        }
    }

    /** {@code super.a} in a method of {@code C} becomes {@code $super(C, "a", this)}. */
    private boolean visitSuper(Node node) {
        Node parent = node.getParent();
        boolean called = (parent.isCall() || parent.isOptChainCall() || parent.isTaggedTemplateLit())
                && parent.getFirstChild() == node;
        Node member = node;
        while (member != null
                && member.getParent() != null
                && !member.getParent().isClassMembers()) {
            if (member.isObjectLit() && member != node) {
                return false;
            }
            member = member.getParent();
        }
        if (called
                || NodeUtil.isLValue(node)
                || parent.isDelProp()
                || member == null
                || member.getParent() == null
                || member.isStaticMember()) {
            return false;
        }
        Node key = node.isGetProp()
                ? IR.string(node.getString())
                : node.getLastChild().detach();
        Node name = member.getGrandparent().getFirstChild();
        Node call = IR.call(IR.name("$super"), IR.name(name.getString()), key, IR.thisNode());
        node.replaceWith(call.srcrefTreeIfMissing(node));
        visit(key);
        return true;
    }

    private void visitMember(Node node) {
        if (node.isGetElem()) {
            return;
        }
        String name = node.getString();
        if (!isPrivate(name)) {
            return;
        }
        String variable = variable(node, name);
        if (variable == null) {
            return;
        }
        Node object = node.getFirstChild().detach();
        Node key = IR.name(variable).srcref(node);
        Node element;
        if (node.getToken() == Token.OPTCHAIN_GETPROP) {
            element = node.isOptionalChainStart()
                    ? IR.startOptChainGetelem(object, key)
                    : IR.continueOptChainGetelem(object, key);
        } else {
            element = IR.getelem(object, key);
        }
        node.replaceWith(element.srcref(node));
        visit(object);
    }

    private void visitDefinition(Node node) {
        String name = node.getString();
        if (!isPrivate(name)) {
            return;
        }
        String variable = variable(node, name);
        if (variable == null) {
            return;
        }
        Node key = IR.name(variable).srcref(node);
        Node computed;
        if (node.getToken() == Token.MEMBER_FIELD_DEF) {
            computed = new Node(Token.COMPUTED_FIELD_DEF, key);
            if (node.hasChildren()) {
                computed.addChildToBack(node.getFirstChild().detach());
            }
        } else {
            computed = IR.computedProp(key, node.getFirstChild().detach());
            switch (node.getToken()) {
                case GETTER_DEF -> computed.putBooleanProp(Node.COMPUTED_PROP_GETTER, true);
                case SETTER_DEF -> computed.putBooleanProp(Node.COMPUTED_PROP_SETTER, true);
                default -> computed.putBooleanProp(Node.COMPUTED_PROP_METHOD, true);
            }
        }
        computed.setStaticMember(node.isStaticMember());
        node.replaceWith(computed.srcref(node));
    }

    /** {@code {...a, b: 1}} becomes {@code $spread(a, {b: 1})}. */
    private static void visitObject(Node node) {
        boolean spreads = false;
        for (Node child = node.getFirstChild(); child != null; child = child.getNext()) {
            if (child.getToken() == Token.OBJECT_SPREAD) {
                spreads = true;
            } else if (child.isGetterDef()
                    || child.isSetterDef()
                    || (child.isStringKey() && child.getString().equals("__proto__"))) {
                return;
            }
        }
        if (!spreads) {
            return;
        }
        Node call = IR.call(IR.name("$spread").srcref(node)).srcref(node);
        Node part = null;
        while (node.hasChildren()) {
            Node child = node.getFirstChild().detach();
            if (child.getToken() == Token.OBJECT_SPREAD) {
                call.addChildToBack(child.getFirstChild().detach());
                part = null;
            } else {
                if (part == null) {
                    part = IR.objectlit().srcref(node);
                    call.addChildToBack(part);
                }
                part.addChildToBack(child);
            }
        }
        node.replaceWith(call);
    }

    private void visitRegExp(Node node) {
        String pattern = node.getFirstChild().getString().replace(marker, '#');
        String flags = node.getChildCount() > 1 ? node.getLastChild().getString() : "";
        boolean plain = flags.chars().allMatch(c -> c == 'g' || c == 'i' || c == 'm')
                && !pattern.contains("(?<")
                && !pattern.contains("\\p{")
                && !pattern.contains("\\P{");
        if (plain) {
            node.getFirstChild().setString(pattern);
            return;
        }
        Node call = IR.call(IR.name("$re"), IR.string(pattern), IR.string(flags));
        node.replaceWith(call.srcrefTree(node));
    }

    private void refuse(Node node, String why) {
        compiler.report(JSError.make(node, REFUSED, why));
    }
}
