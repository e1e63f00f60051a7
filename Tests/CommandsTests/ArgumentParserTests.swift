import Commands
import Testing

@Suite struct ArgumentParserTests {
    private static let fast = Flag("fast", "f", .none, "Fast.")
    private static let quiet = Flag("quiet", "q", .none, "Quiet.")
    private static let name = Flag("name", "n", .text("NAME"), "Name.")
    private static let size = Flag("size", nil, .choice(["small", "large"]), "Size.")
    private static let table = CommandTable([
        Command(
            "go", "Goes", arguments: [.init("where", "Where."), .init("when", .optional, "When.")],
            flags: [fast, quiet, name, size], run: { _ in }),
        Command("stay", "Stays", run: { _ in }),
        Command("config show", "Shows", run: { _ in }),
        Command("config check", "Checks", run: { _ in }),
        Command("later", "Comes later"),
    ])

    private func parse(_ words: String...) throws -> Invocation {
        try ArgumentParser.parse(words, table: Self.table)
    }

    private func refusal(_ words: [String]) -> UsageError? {
        do {
            _ = try ArgumentParser.parse(words, table: Self.table)
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        ["go", "--name", "x", "there"], ["go", "--name=x", "there"], ["go", "-n", "x", "there"],
        ["go", "-nx", "there"], ["go", "-n=x", "there"], ["go", "there", "-n", "x"], ["go", "-n", "x", "--", "there"],
    ])
    func `a value may be given in each of the usual forms`(words: [String]) throws {
        let invocation = try ArgumentParser.parse(words, table: Self.table)
        #expect(invocation.value(Self.name) == "x")
        #expect(invocation.arguments == ["there"])
        #expect(!invocation.has(Self.fast))
    }

    @Test func `short flags join, the last may take a value`() throws {
        let invocation = try parse("go", "-fqnx", "there")
        #expect(invocation.has(Self.fast) && invocation.has(Self.quiet))
        #expect(invocation.value(Self.name) == "x")
    }

    @Test func `what stands after two dashes is no flag`() throws {
        #expect(try parse("go", "--", "--fast", "-q").arguments == ["--fast", "-q"])
        #expect(try parse("go", "-").arguments == ["-"])
    }

    @Test func `a switch can be turned off, and the last word counts`() throws {
        #expect(try !parse("go", "x", "--fast=false").has(Self.fast))
        #expect(try parse("go", "x", "--fast=false", "-f").has(Self.fast))
        #expect(try parse("go", "x", "-n", "a", "-n", "b").values(Self.name) == ["a", "b"])
    }

    @Test func `a setting is a flag before and after the command`() throws {
        let before = try parse("--walg-s3-prefix", "s3://a/b", "stay")
        #expect(
            before.settings == [
                SettingFlag(flag: "--walg-s3-prefix", spelling: "WALG_S3_PREFIX", value: "s3://a/b")
            ])
        let after = try parse("stay", "--wale-s3-prefix=s3://a/b", "--config", "f.json")
        #expect(after.settings.map(\.spelling) == ["WALE_S3_PREFIX"])
        #expect(after.value(.config) == "f.json")
    }

    @Test(arguments: [
        (["go"], UsageError.Kind.wrongArguments, "go takes 1 to 2 arguments, not 0: go where [when]"),
        (["go", "a", "b", "c"], .wrongArguments, "go takes 1 to 2 arguments, not 3: go where [when]"),
        (["stay", "x"], .wrongArguments, "stay takes 0 arguments, not 1: stay"),
        (["config"], .wrongArguments, "which one: show, check?"),
        (["config", "sow"], .unknownCommand, "unknown command \"config sow\", did you mean \"config show\"?"),
        (["sty"], .unknownCommand, "unknown command \"sty\", did you mean \"stay\"?"),
        (["xyzzy"], .unknownCommand, "unknown command \"xyzzy\""),
        (["go", "--fsat", "x"], .unknownFlag, "unknown flag --fsat of go, did you mean --fast?"),
        (["go", "-x", "x"], .unknownFlag, "unknown flag -x of go"),
        (["--fast", "go", "x"], .unknownFlag, "--fast belongs to go: write it after the command's name"),
        (
            ["--walg-s3-prefx", "a", "stay"], .unknownFlag,
            "unknown flag --walg-s3-prefx, did you mean --walg-s3-prefix?"
        ),
        (["go", "x", "--name"], .missingValue, "--name needs a value: NAME"),
        (["go", "x", "--walg-s3-prefix"], .missingValue, "--walg-s3-prefix needs a value"),
        (["go", "x", "--size", "huge"], .invalidValue, "--size must be one of small, large, not \"huge\""),
        (["go", "x", "--fast=maybe"], .invalidValue, "--fast is given or not, or is true or false; not \"maybe\""),
        (["later", "--any", "thing"], .notAvailable, "later is not available in this version"),
    ])
    func `a line that means nothing is refused, saying what was meant`(
        words: [String], kind: UsageError.Kind, message: String
    ) {
        let error = refusal(words)
        #expect(error?.kind == kind)
        #expect(error?.message == message)
    }

    @Test func `a secret is never taken from the command line, its file is`() throws {
        let error = refusal(["stay", "--aws-secret-access-key", "hunter2"])
        #expect(error?.kind == .invalidValue)
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("--aws-secret-access-key-file") == true)
        let file = try parse("stay", "--aws-secret-access-key-file", "/run/secret")
        #expect(file.settings.map(\.spelling) == ["AWS_SECRET_ACCESS_KEY_FILE"])
    }
}
