using Google.Protobuf;
using LightTts.Onnx;
using LightTts.Tests.Support;
using Proto = global::Onnx;

namespace LightTts.Tests.Onnx;

/// <summary>What is seen of a model's file without loading it.</summary>
public sealed class OnnxModelFileTests
{
    private static readonly string Encoder = Path.Combine(Repo.TinyEn, "campplus.onnx");

    [Fact]
    public void Inputs_are_counted()
    {
        Assert.Equal(1, OnnxModelFile.CountInputs(Encoder));
        Assert.Equal(2, OnnxModelFile.CountInputs(Path.Combine(Repo.TinyEn, "speech_tokenizer_v3.onnx")));
    }

    /// <summary>As models of the format's third version do.</summary>
    [Fact]
    public void Weights_among_the_inputs_are_none()
    {
        var graph = new Proto.GraphProto();
        graph.Input.Add(new Proto.ValueInfoProto { Name = "x" });
        graph.Input.Add(new Proto.ValueInfoProto { Name = "weight" });
        graph.Initializer.Add(new Proto.TensorProto { Name = "weight", RawData = ByteString.CopyFrom(new byte[300]) });
        graph.Node.Add(new Proto.NodeProto { OpType = "Add" });
        Assert.Equal(1, Count(new Proto.ModelProto { IrVersion = 3, Graph = graph }.ToByteArray()));
    }

    [Fact]
    public void Cut_anywhere_it_is_refused()
    {
        var bytes = File.ReadAllBytes(Encoder);
        for (var length = 0; length < bytes.Length - 100; length += 1 + bytes.Length / 60)
            Assert.Contains("download it again", Assert.Throws<TtsModelLoadException>(() => Count(bytes[..length])).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_answered()
    {
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 2000)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
                (bytes[0], bytes[^1]) = (0x3A, 0x80); // a graph of some length, and a number without an end
            Assert.Throws<TtsModelLoadException>(() => Count(bytes));
        }
    }

    private static int Count(byte[] bytes)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["model.onnx"], bytes);
        return OnnxModelFile.CountInputs(folder["model.onnx"]);
    }
}
