// Speaks over HTTP: the routes of LightTTS and the routes of OpenAI's speech API.
using LightTts.Samples.Server;
using Microsoft.Extensions.Options;

try
{
    await using var app = ServerApp.Create(args);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is ArgumentException or OptionsValidationException or IOException or InvalidOperationException or LightTts.TtsException)
{
    Console.Error.WriteLine(e.Message); // a mistake in the set-up: the message says which, a stack trace would hide it
    return 1;
}
