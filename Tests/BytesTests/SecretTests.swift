import Bytes
import Testing

@Suite struct SecretTests {
    @Test func `no way of printing shows the secret`() {
        struct Holder { let secret = Secret("hunter2") }
        var dumped = ""
        dump(Holder(), to: &dumped)
        let printed = ["\(Secret("hunter2"))", String(reflecting: Secret("hunter2")), "\(Holder())", dumped]
        for text in printed {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("********"))
        }
        #expect(Secret("hunter2").revealed == "hunter2")
    }
}
