import Bytes
import Digests
import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct SigV4Tests {
    private struct Context: Decodable {
        struct Keys: Decodable {
            let access_key_id: String
            let secret_access_key: String
            let token: String?
        }

        let credentials: Keys
        let normalize: Bool
        let region: String
        let service: String
        let sign_body: Bool
        let timestamp: String
        let omit_session_token: Bool?
    }

    private struct Message {
        let method: String
        let path: String
        let query: [(name: String, value: String)]
        var headers: [(name: String, value: String)]
        let body: [UInt8]

        init(_ text: String) throws {
            let head = text.components(separatedBy: "\n\n")
            var lines = head[0].components(separatedBy: "\n")
            let line = lines.removeFirst()
            // The path may hold spaces.
            let first = try #require(line.firstIndex(of: " "))
            let target = line[line.index(after: first)...].dropLast(" HTTP/1.1".count)
            method = String(line[..<first])
            let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            path = String(halves[0])
            query = (halves.count > 1 ? halves[1] : "").split(separator: "&").map { pair in
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let decoded = sides.map { PercentEncoding.decode(String($0)) ?? "" }
                return (decoded[0], decoded.count > 1 ? decoded[1] : "")
            }
            headers = []
            for line in lines where !line.isEmpty {
                if line.hasPrefix(" ") {
                    headers[headers.count - 1].value += " " + line
                } else {
                    let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    headers.append((String(sides[0]), String(sides[1])))
                }
            }
            body = Array(head.dropFirst().joined(separator: "\n\n").utf8)
        }
    }

    /// AWS's own cases (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4).
    ///
    /// Those whose path AWS normalizes are not S3's: it never does.
    static let cases: [String] = {
        guard let folder = SharedMaterial.path("vectors/sigv4") else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { !$0.hasSuffix("-normalized") || $0 == "get-space-normalized" }.sorted()
    }()

    @Test(.enabled(if: SharedMaterial.has("vectors/sigv4"), "needs ../shared/vectors/sigv4"), arguments: cases)
    func `the published examples are signed alike`(name: String) throws {
        let folder = try #require(SharedMaterial.path("vectors/sigv4")) + "/" + name
        func file(_ name: String) throws -> String {
            try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
        let context = try JSONDecoder().decode(Context.self, from: Data(file("context.json").utf8))
        var message = try Message(file("request.txt"))
        let time = try #require(Timestamp(rfc3339: context.timestamp))
        message.headers.append(("X-Amz-Date", SigV4.stamp(time)))
        if let token = context.credentials.token, context.omit_session_token != true {
            message.headers.append(("X-Amz-Security-Token", token))
        }
        let hash =
            context.sign_body ? Hex.encode(MessageDigest.sha256(message.body.span.bytes)) : SigV4.emptyPayloadHash
        if context.sign_body { message.headers.append(("X-Amz-Content-Sha256", hash)) }
        let canonical = CanonicalRequest(
            method: message.method, path: message.path, query: message.query, headers: message.headers,
            payloadHash: hash)
        #expect(try canonical.text == file("header-canonical-request.txt"))
        let day = SigV4.stamp(time).prefix(8)
        let scope = "\(day)/\(context.region)/\(context.service)/aws4_request"
        #expect(
            try SigV4.stringToSign(for: canonical, at: time, scope: scope) == file("header-string-to-sign.txt"))
        let header = SigV4.authorization(
            for: canonical, at: time, region: context.region, service: context.service,
            credentials: Credentials(
                accessKey: context.credentials.access_key_id, secretKey: Secret(context.credentials.secret_access_key)))
        #expect(try header.hasSuffix("Signature=" + file("header-signature.txt")))
        #expect(try file("header-signed-request.txt").contains("Authorization:" + header))
    }

    @Test(.enabled(if: SharedMaterial.has("vectors/sigv4"), "needs ../shared/vectors/sigv4"))
    func `most of the published examples are taken`() { #expect(Self.cases.count >= 32) }

    private static let script = """
        import json, sys, datetime
        import botocore.auth, botocore.awsrequest, botocore.credentials
        from urllib.parse import quote
        fixed = datetime.datetime(2026, 8, 21, 18, 2, 35)
        if hasattr(botocore.auth, 'get_current_datetime'):
            botocore.auth.get_current_datetime = lambda *a, **k: fixed
        else:
            class Clock(datetime.datetime):
                @classmethod
                def utcnow(cls): return fixed
            class Module: datetime = Clock
            botocore.auth.datetime = Module
        answers = []
        for c in json.load(sys.stdin):
            url = 'https://b.s3.amazonaws.com/' + quote(c['key'], safe='/-._~')
            if c['query']:
                url += '?' + '&'.join(quote(k, safe='-._~') + '=' + quote(v, safe='-._~') for k, v in c['query'])
            request = botocore.awsrequest.AWSRequest(method=c['method'], url=url, headers=dict(c['headers']))
            request.context['payload_signing_enabled'] = True
            keys = botocore.credentials.Credentials('AKIDEXAMPLE', c['secret'], c.get('token'))
            botocore.auth.S3SigV4Auth(keys, 's3', 'eu-central-1').add_auth(request)
            answers.append([request.headers['Authorization'], request.context['timestamp']])
        json.dump(answers, sys.stdout)
        """

    private struct Case: Encodable {
        let method: String
        let key: String
        let query: [[String]]
        let headers: [[String]]
        let secret: String
        let token: String?
    }

    private func randomCases(_ count: Int) -> [Case] {
        var generator = SeededGenerator(seed: 4)
        let alphabet = Array("abzABZ019-._~/ +%&=?#:;,@!$'()*[]{}|\\^\"<>`äßé€𝄞").map(String.init)
        func text(_ longest: Int) -> String {
            (0..<Int.random(in: 1...longest, using: &generator))
                .map { _ in alphabet.randomElement(using: &generator) ?? "" }.joined()
        }
        return (0..<count).map { number in
            var names: Set<String> = []
            let query = (0..<Int.random(in: 0...4, using: &generator)).map { _ in text(8) }
                .filter { names.insert($0).inserted }.map { [$0, text(12)] }
            let token = number.isMultiple(of: 3) ? "token/+=\(number)" : nil
            return Case(
                method: ["GET", "PUT", "HEAD", "DELETE"][number % 4], key: text(40), query: query,
                headers: [["x-amz-meta-note", " two  words \(number)"], ["content-type", "application/xml"]],
                secret: "secret/+\(number)", token: token)
        }
    }

    @Test func `random keys and queries are signed as botocore signs them`() async throws {
        let probe = try await Shell.run(["python3", "-c", "import botocore.auth"])
        guard probe.exitCode == 0 else { try Test.cancel("botocore is not installed") }
        let cases = randomCases(300)
        let input = Array(try JSONEncoder().encode(cases))
        let outcome = try await Shell.run(["python3", "-c", Self.script], input: input)
        try #require(outcome.exitCode == 0, "\(outcome)")
        let answers = try JSONDecoder().decode([[String]].self, from: Data(outcome.output))
        #expect(answers.count == cases.count)
        let time = Timestamp(seconds: 1_787_335_355)
        for (one, answer) in zip(cases, answers) {
            #expect(answer[1] == SigV4.stamp(time))
            var headers = [
                (name: "host", value: "b.s3.amazonaws.com"), (name: "x-amz-date", value: SigV4.stamp(time)),
                (name: "x-amz-content-sha256", value: SigV4.emptyPayloadHash),
            ]
            headers += one.headers.map { ($0[0], $0[1]) }
            if let token = one.token { headers.append(("x-amz-security-token", token)) }
            let canonical = CanonicalRequest(
                method: one.method, path: "/" + one.key, query: one.query.map { ($0[0], $0[1]) }, headers: headers,
                payloadHash: SigV4.emptyPayloadHash)
            let header = SigV4.authorization(
                for: canonical, at: time, region: "eu-central-1",
                credentials: Credentials(accessKey: "AKIDEXAMPLE", secretKey: Secret(one.secret)))
            #expect(header == answer[0], "\(one)")
        }
    }
}
