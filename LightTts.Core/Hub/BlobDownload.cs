using System.Globalization;
using System.Net;

namespace LightTts.Hub;

/// <summary>Fetches one file, from where an earlier try ended, and gives it its name only when its checksum is right.</summary>
internal sealed class BlobDownload(HubClient client, HubSettings settings, PullReport report)
{
    private const int BufferBytes = 256 << 10;

    private const int Progress = 4096; // fewer bytes of a connection do not count

    private const int DiskFullOnUnix = 28, DiskFullOnWindows = unchecked((int)0x80070070);

    /// <param name="address">Where it is.</param>
    /// <param name="file">What it must be.</param>
    /// <param name="path">Where it goes; its beginning waits there with ".incomplete" behind the name, as the hub's own tools leave it.</param>
    /// <param name="cancellationToken">Ends it; what has come stays.</param>
    /// <exception cref="TtsDownloadException">It cannot be had, or is not what it should be.</exception>
    public async Task RunAsync(Uri address, HubFile file, string path, CancellationToken cancellationToken)
    {
        var partial = path + ".incomplete";
        while (true)
        {
            bool resumed, sound;
            using (var hash = new BlobHash(file))
            {
                var output = new FileStream(partial, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite,
                    Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.Asynchronous });
                await using (output.ConfigureAwait(false))
                {
                    await ReadBeginningAsync(output, hash, file, cancellationToken).ConfigureAwait(false);
                    resumed = hash.Length > 0;
                    report.Add(file, hash.Length, hash.Length);
                    await FetchAsync(address, file, output, hash, cancellationToken).ConfigureAwait(false);
                    // The name must not outlive the content in a crash of the machine.
                    Write(() => output.Flush(flushToDisk: true), path);
                    var length = hash.Length;
                    sound = hash.Matches();
                    if (!sound)
                        report.Add(file, -length, 0);
                }
            }
            if (sound)
            {
                File.Move(partial, path, overwrite: true);
                return;
            }
            File.Delete(partial);
            // What lay there from an earlier time may have been at fault; what has just been fetched as a whole is the hub's fault.
            if (!resumed)
                throw new TtsDownloadException($"{file.Path} from {address.Host} is not the file that the hub describes: its checksum is wrong. It "
                    + "was thrown away. Try again; if that does not help, use another endpoint (HF_ENDPOINT).");
        }
    }

    private static async Task ReadBeginningAsync(FileStream output, BlobHash hash, HubFile file, CancellationToken cancellationToken)
    {
        if (output.Length > file.Length)
            output.SetLength(0);
        var buffer = new byte[BufferBytes];
        while (await output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            hash.Append(buffer.AsSpan(0, read));
    }

    private async Task FetchAsync(Uri address, HubFile file, FileStream output, BlobHash hash, CancellationToken cancellationToken)
    {
        var retries = client.CreateRetries(isFirst: false);
        var buffer = new byte[BufferBytes];
        while (hash.Length < file.Length)
        {
            var before = hash.Length;
            using var guard = new StallGuard(settings.Options.TimeProvider, settings.Options.StallTimeout, cancellationToken);
            try
            {
                using var response = await client.SendAsync(HttpMethod.Get, address, before, elsewhere: true, guard.Token).ConfigureAwait(false);
                var skip = Check(response, file, before);
                var body = await response.Content.ReadAsStreamAsync(guard.Token).ConfigureAwait(false);
                await using (body.ConfigureAwait(false))
                    await CopyAsync(body, file, output, hash, skip, buffer, guard).ConfigureAwait(false);
                if (hash.Length < file.Length)
                    throw new HubBusyException($"{address.Host} ended the connection early");
            }
            catch (Exception e) when (Retries.IsPassing(e, guard, cancellationToken))
            {
                // A cut line is taken up again at once; whoever sends nothing, or drips, is left alone for a while.
                if (hash.Length - before >= Progress && !guard.HasStalled)
                    retries.Progressed();
                else
                    await retries.WaitAsync(file.Path, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <returns>Bytes at the beginning of the answer that are there already: all of them where a server knows no ranges.</returns>
    private static long Check(HttpResponseMessage response, HubFile file, long from)
    {
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            var range = response.Content.Headers.ContentRange;
            if (range?.From != from || (range.HasLength && range.Length != file.Length))
                throw WrongLength(file, range?.ToString() ?? "no range");
            return 0;
        }
        if (response.Content.Headers.ContentLength is { } length && length != file.Length)
            throw WrongLength(file, string.Create(CultureInfo.InvariantCulture, $"{length} bytes"));
        return from;
    }

    private async Task CopyAsync(Stream body, HubFile file, FileStream output, BlobHash hash, long skip, byte[] buffer, StallGuard guard)
    {
        while (await body.ReadAsync(buffer, guard.Token).ConfigureAwait(false) is > 0 and var read)
        {
            guard.Add(read);
            var old = (int)Math.Min(skip, read);
            skip -= old;
            var fresh = buffer.AsMemory(old, read - old);
            if (fresh.IsEmpty)
                continue;
            if (hash.Length + fresh.Length > file.Length)
                throw WrongLength(file, "more");
            try
            {
                // Not cancelled in the middle: the file and its checksum stay in step.
                await output.WriteAsync(fresh, CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw DiskFailed(output.Name, e);
            }
            hash.Append(fresh.Span);
            report.Add(file, fresh.Length, hash.Length);
        }
    }

    private static void Write(Action write, string path)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw DiskFailed(path, e);
        }
    }

    private static TtsDownloadException DiskFailed(string path, IOException e) =>
        new(e.HResult is DiskFullOnUnix or DiskFullOnWindows
            ? $"{path}: the disk is full. Make room, or name another folder (HF_HUB_CACHE, --cache), and try again: what has been fetched is kept."
            : $"{path}: cannot be written: {e.Message}", e);

    private static TtsDownloadException WrongLength(HubFile file, string got) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"{file.Path}: the hub describes {file.Length} bytes and sends {got}. Try again; if that does not help, use another endpoint "
            + $"(HF_ENDPOINT)."));
}
