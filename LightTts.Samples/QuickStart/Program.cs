using LightTts;

await using var tts = await TtsPipeline.LoadAsync();
await using var wav = new WavWriter(File.Create("hello.wav"), tts.Model.SampleRate);

await foreach (var chunk in tts.SynthesizeAsync(new SynthesisRequest { Text = "Hello! This voice runs inside your own process." }))
{
    await wav.WriteAsync(chunk.Samples);
    Console.WriteLine($"{chunk.Duration.TotalSeconds:0.00} s of audio, ready after {chunk.Elapsed.TotalSeconds:0.00} s");
}
